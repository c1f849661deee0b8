#include "base/pack.h"

#include <msgpack.hpp>

namespace linnet::pack {
namespace {

struct Sink {
  Bytes& out;
  void write(const char* data, std::size_t n) {
    const auto* p = reinterpret_cast<const std::uint8_t*>(data);
    out.insert(out.end(), p, p + n);
  }
};

// Builds a Value bottom-up; every callback may refuse, which ends the parse at once.
class Builder : public msgpack::v2::null_visitor {
 public:
  bool visit_nil() { return put(Value()); }
  bool visit_boolean(bool v) { return put(Value(v)); }
  bool visit_positive_integer(std::uint64_t v) { return put(Value(v)); }
  // msgpack-c says so of all that is spelled with a sign.
  bool visit_negative_integer(std::int64_t v) { return put(v < 0 ? Value(v) : Value(static_cast<std::uint64_t>(v))); }
  bool visit_float32(float) { return stop(Fault::unsupported); }
  bool visit_float64(double) { return stop(Fault::unsupported); }
  bool visit_ext(const char*, std::uint32_t) { return stop(Fault::unsupported); }
  bool visit_str(const char* v, std::uint32_t n) {
    if (n > kMaxBlob) return stop(Fault::too_big);
    return put(Value(std::string(v, n)));
  }
  bool visit_bin(const char* v, std::uint32_t n) {
    if (n > kMaxBlob) return stop(Fault::too_big);
    const auto* p = reinterpret_cast<const std::uint8_t*>(v);
    return put(Value(Bytes(p, p + n)));
  }
  bool start_array(std::uint32_t n) {
    if (n > kMaxArray) return stop(Fault::too_big);
    return open(false);
  }
  bool end_array() { return close(); }
  bool start_map(std::uint32_t n) {
    if (n > kMaxMap) return stop(Fault::too_big);
    return open(true);
  }
  bool start_map_key() {
    stack_.back().in_key = true;
    return true;
  }
  bool end_map_key() {
    stack_.back().in_key = false;
    return true;
  }
  bool end_map() { return close(); }
  void parse_error(std::size_t, std::size_t) { fault_ = Fault::malformed; }
  void insufficient_bytes(std::size_t, std::size_t) { fault_ = Fault::truncated; }

  Fault fault() const { return fault_; }
  Value take() { return std::move(root_); }

 private:
  struct Level {
    bool is_map = false;
    bool in_key = false;
    std::uint64_t key = 0;
    Value::Array array;
    Value::Map map;
  };

  bool stop(Fault fault) {
    fault_ = fault;
    return false;
  }

  bool open(bool is_map) {
    if (stack_.size() >= kMaxDepth) return stop(Fault::too_big);
    if (!stack_.empty() && stack_.back().in_key) return stop(Fault::malformed);
    stack_.emplace_back();
    stack_.back().is_map = is_map;
    return true;
  }

  bool close() {
    Level level = std::move(stack_.back());
    stack_.pop_back();
    return put(level.is_map ? Value(std::move(level.map)) : Value(std::move(level.array)));
  }

  // Here every value is counted, an array or a map when it ends: at most kMaxDepth are open.
  bool put(Value v) {
    if (++nodes_ > kMaxNodes) return stop(Fault::too_big);
    if (stack_.empty()) {
      root_ = std::move(v);
      return true;
    }
    Level& top = stack_.back();
    if (!top.is_map) {
      top.array.push_back(std::move(v));
      return true;
    }
    if (top.in_key) {
      const auto* key = v.uint();
      if (key == nullptr || top.map.count(*key) != 0) return stop(Fault::malformed);
      top.key = *key;
      return true;
    }
    top.map.emplace(top.key, std::move(v));
    return true;
  }

  std::vector<Level> stack_;
  Value root_;
  std::size_t nodes_ = 0;
  Fault fault_ = Fault::malformed;
};

}  // namespace

const Value* Value::field(std::uint64_t key) const {
  const auto* m = map();
  if (m == nullptr) return nullptr;
  const auto it = m->find(key);
  return it == m->end() ? nullptr : &it->second;
}

std::uint64_t Value::uint_at(std::uint64_t key, std::uint64_t fallback) const {
  const auto* f = field(key);
  return f != nullptr && f->uint() != nullptr ? *f->uint() : fallback;
}

ByteView Value::bin_at(std::uint64_t key) const {
  const auto* f = field(key);
  return f != nullptr && f->bin() != nullptr ? ByteView(*f->bin()) : ByteView();
}

std::string_view Value::str_at(std::uint64_t key) const {
  const auto* f = field(key);
  return f != nullptr && f->str() != nullptr ? std::string_view(*f->str()) : std::string_view();
}

const Value::Array& Value::array_at(std::uint64_t key) const {
  static const Array kEmpty;
  const auto* f = field(key);
  return f != nullptr && f->array() != nullptr ? *f->array() : kEmpty;
}

Result<Value> read(ByteView bytes) {
  Builder builder;
  std::size_t offset = 0;
  if (bytes.empty()) return fail(Fault::truncated);
  const bool ok =
      msgpack::v2::parse(reinterpret_cast<const char*>(bytes.data()), bytes.size(), offset, builder);
  if (!ok) return fail(builder.fault());
  if (offset != bytes.size()) return fail(Fault::malformed);
  return builder.take();
}

Packer& Packer::map(std::size_t n) {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_map(static_cast<std::uint32_t>(n));
  return *this;
}
Packer& Packer::array(std::size_t n) {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_array(static_cast<std::uint32_t>(n));
  return *this;
}
Packer& Packer::uint(std::uint64_t v) {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_uint64(v);
  return *this;
}
Packer& Packer::integer(std::int64_t v) {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_int64(v);
  return *this;
}
Packer& Packer::boolean(bool v) {
  Sink sink{out_};
  v ? msgpack::packer<Sink>(sink).pack_true() : msgpack::packer<Sink>(sink).pack_false();
  return *this;
}
Packer& Packer::nil() {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_nil();
  return *this;
}
Packer& Packer::bin(ByteView v) {
  Sink sink{out_};
  msgpack::packer<Sink> p(sink);
  p.pack_bin(static_cast<std::uint32_t>(v.size()));
  p.pack_bin_body(reinterpret_cast<const char*>(v.data()), static_cast<std::uint32_t>(v.size()));
  return *this;
}
Packer& Packer::str(std::string_view v) {
  Sink sink{out_};
  msgpack::packer<Sink> p(sink);
  p.pack_str(static_cast<std::uint32_t>(v.size()));
  p.pack_str_body(v.data(), static_cast<std::uint32_t>(v.size()));
  return *this;
}

}  // namespace linnet::pack
