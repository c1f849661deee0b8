// "Did you mean": the closest of a few known words.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace linnet::io {

// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest candidate within a third of the word's length (at least 1, at most 3 edits), or empty.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace linnet::io
