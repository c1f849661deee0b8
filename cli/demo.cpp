#include "cli/demo.h"
namespace linnet::cli {
int demo(const Context&, const verb::Demo&) { return fail({"x"}); }
}  // namespace linnet::cli
