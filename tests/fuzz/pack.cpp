// base/pack: any bytes; what is accepted stays within the limits and is written and read back the same. base/bytes: as
// hex and base32.
#include "base/pack.h"

#include <algorithm>

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

bool same(const Value& a, const Value& b) {
  if (const auto* array = a.array())
    return b.array() != nullptr && std::equal(array->begin(), array->end(), b.array()->begin(), b.array()->end(), same);
  if (const auto* map = a.map()) {
    const auto field = [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); };
    return b.map() != nullptr && std::equal(map->begin(), map->end(), b.map()->begin(), b.map()->end(), field);
  }
  const auto equal = [](const auto* x, const auto* y) {
    return x == nullptr ? y == nullptr : y != nullptr && *x == *y;
  };
  return equal(a.uint(), b.uint()) && equal(a.negative(), b.negative()) && equal(a.boolean(), b.boolean()) &&
         equal(a.str(), b.str()) && equal(a.bin(), b.bin()) && b.array() == nullptr && b.map() == nullptr;
}

void write(linnet::pack::Packer& out, const Value& v) {
  if (const auto* number = v.uint()) {
    out.uint(*number);
  } else if (const auto* negative = v.negative()) {
    out.integer(*negative);
  } else if (const auto* flag = v.boolean()) {
    out.boolean(*flag);
  } else if (const auto* text = v.str()) {
    out.str(*text);
  } else if (const auto* bytes = v.bin()) {
    out.bin(*bytes);
  } else if (const auto* array = v.array()) {
    out.array(array->size());
    for (const auto& element : *array) write(out, element);
  } else if (const auto* map = v.map()) {
    out.map(map->size());
    for (const auto& [key, value] : *map) write(out.key(key), value);
  } else {
    out.nil();
  }
}

// What is no map has no fields, and a field of another kind is as good as none.
void ask(const Value& v) {
  for (std::uint64_t key = 0; key < 4; ++key) {
    const auto* field = v.field(key);
    require(field != nullptr || (v.uint_at(key, 9) == 9 && v.bin_at(key).empty()));
    require((field != nullptr && field->str() != nullptr) || v.str_at(key).empty());
    require((field != nullptr && field->array() != nullptr) || v.array_at(key).empty());
  }
}

void texts(linnet::ByteView bytes) {
  const auto text = linnet::text(bytes);
  require(linnet::from_hex(linnet::to_hex(bytes)) == linnet::copy(bytes));
  require(linnet::from_base32(linnet::to_base32(bytes)) == linnet::copy(bytes));
  if (const auto read = linnet::from_hex(text)) require(read->size() * 2 == text.size());
  if (const auto read = linnet::from_base32(text)) require(linnet::to_base32(*read).size() == text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto v = linnet::pack::read({data, size});
  if (size <= 512) texts({data, size});
  if (!v) return 0;
  require(walk(*v, 0) <= linnet::pack::kMaxNodes);
  ask(*v);
  linnet::pack::Packer again;
  write(again, *v);
  const auto back = linnet::pack::read(again.take());
  require(back.has_value() && same(*v, *back));
  return 0;
}
