// base/pack: any bytes; what is accepted stays within the limits.
#include "base/pack.h"

#include "require.h"

namespace {

using linnet::fuzz::require;
using linnet::pack::Value;

std::size_t walk(const Value& v, std::size_t depth) {
  require(depth <= linnet::pack::kMaxDepth);
  std::size_t nodes = 1;
  if (const auto* a = v.array()) {
    require(a->size() <= linnet::pack::kMaxArray);
    for (const auto& e : *a) nodes += walk(e, depth + 1);
  }
  if (const auto* m = v.map()) {
    require(m->size() <= linnet::pack::kMaxMap);
    for (const auto& field : *m) nodes += walk(field.second, depth + 1);
  }
  if (v.bin() != nullptr) require(v.bin()->size() <= linnet::pack::kMaxBlob);
  if (v.str() != nullptr) require(v.str()->size() <= linnet::pack::kMaxBlob);
  return nodes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto v = linnet::pack::read({data, size});
  if (v) require(walk(*v, 0) <= linnet::pack::kMaxNodes);
  return 0;
}
