// toml++ without its assertions. It asserts that a table's header goes on with a key, aborting builds without NDEBUG at
// "[ =", and has clang assume so in the others; with neither, it reports the error with its place.
#pragma once

#define TOML_EXCEPTIONS 0
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
