#include "overlay/dns_message.h"

#include <algorithm>
#include <tuple>

namespace linnet::overlay::dns {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::uint16_t kFlushBit = 0x8000;  // of a record's class; QU in a question's
constexpr std::size_t kMaxStrings = 64;      // of one TXT

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// A cursor over the whole message, since names point back into it.
class Cursor {
 public:
  // `names`: how many bytes of names may still be read, of the whole message.
  Cursor(ByteView all, std::size_t at, std::size_t end, std::size_t& names)
      : all_(all), at_(at), end_(end), names_(names) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(uint(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(uint(2)); }
  std::uint32_t u32() { return uint(4); }
  ByteView bytes(std::size_t n) {
    if (!ok_ || end_ - at_ < n) {
      ok_ = false;
      return {};
    }
    const auto out = all_.subspan(at_, n);
    at_ += n;
    return out;
  }
  Name name();
  Cursor part(std::size_t n) {
    const auto start = at_;
    bytes(n);
    Cursor out(all_, start, ok_ ? start + n : start, names_);
    out.ok_ = ok_;
    return out;
  }
  std::size_t left() const { return end_ - at_; }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && at_ == end_; }
  void spoil() { ok_ = false; }

 private:
  std::uint32_t uint(std::size_t n) {
    std::uint32_t out = 0;
    for (const auto b : bytes(n)) out = out << 8 | b;
    return out;
  }

  ByteView all_;
  std::size_t at_;
  std::size_t end_;
  std::size_t& names_;
  bool ok_ = true;
};

// A pointer leads strictly backwards from the piece it stands in, so that reading ends; few may follow one another and
// all names together have a bound, so that it ends soon.
Name Cursor::name() {
  Name out;
  std::size_t total = 1;
  std::size_t at = at_;
  std::size_t end = end_;
  std::size_t piece = at_;
  std::size_t jumps = 0;
  while (ok_) {
    if (at >= end) break;
    const std::size_t length = all_[at++];
    if (length == 0) {
      if (jumps == 0) at_ = at;
      if (names_ < total) break;
      names_ -= total;
      return out;
    }
    if ((length & 0xc0) == 0xc0) {
      if (at >= end) break;
      const std::size_t target = (length & 0x3f) << 8 | all_[at++];
      if (jumps == 0) at_ = at;
      if (target >= piece || target < kHeader || ++jumps > kMaxJumps) break;
      end = piece;  // what it leads to ended before this piece began
      piece = at = target;
      continue;
    }
    total += length + 1;
    if (length > kMaxLabel || total > kMaxName || end - at < length) break;
    out.labels.emplace_back(text(all_.subspan(at, length)));
    at += length;
  }
  ok_ = false;
  return {};
}

std::optional<Data> read_txt(Cursor& in) {
  Txt out;
  while (in.ok() && in.left() > 0) {
    const auto s = in.bytes(in.u8());
    if (!in.ok() || out.strings.size() == kMaxStrings) return std::nullopt;
    if (!s.empty()) out.strings.emplace_back(text(s));
  }
  return out;
}

// Bitmaps of window 0 alone: all the types of mDNS are below 256.
std::optional<Data> read_nsec(Cursor& in) {
  Nsec out;
  out.name = in.name();
  const auto window = in.u8();
  const auto length = in.u8();
  const auto bits = in.bytes(length);
  if (!in.ok() || window != 0 || length == 0 || length > 32) return std::nullopt;
  for (std::size_t i = 0; i < bits.size() * 8; ++i) {
    if ((bits[i / 8] >> (7 - i % 8) & 1) != 0) out.types.push_back(static_cast<Type>(i));
  }
  return out;
}

std::optional<Data> read_data(Type type, Cursor& in) {
  switch (type) {
    case Type::ptr: return Ptr{in.name()};
    case Type::srv: {
      Srv out;
      out.priority = in.u16();
      out.weight = in.u16();
      out.port = in.u16();
      out.target = in.name();
      return out;
    }
    case Type::txt: return read_txt(in);
    case Type::a: return Host{IpAddress::v4(in.u32())};
    case Type::aaaa: {
      ByteArray<16> b{};
      const auto v = in.bytes(16);
      if (!v.empty()) std::copy(v.begin(), v.end(), b.begin());
      const auto ip = IpAddress::v6(b);
      if (ip.is_v4()) return std::nullopt;  // one address, one spelling
      return Host{ip};
    }
    case Type::nsec: return read_nsec(in);
    default: return Opaque{copy(in.bytes(in.left()))};
  }
}

std::optional<Record> read_record(Cursor& in) {
  Record out;
  out.name = in.name();
  out.type = static_cast<Type>(in.u16());
  const auto cls = in.u16();
  out.cls = cls & static_cast<std::uint16_t>(~kFlushBit);
  out.flush = (cls & kFlushBit) != 0;
  out.ttl = in.u32();
  if ((out.ttl & 0x80000000U) != 0) out.ttl = 0;  // RFC 2181 section 8
  const auto length = in.u16();
  auto part = in.part(length);
  auto data = read_data(out.type, part);
  if (!data || !part.done()) return std::nullopt;
  out.data = std::move(*data);
  return out;
}

Question read_question(Cursor& in) {
  Question out;
  out.name = in.name();
  out.type = static_cast<Type>(in.u16());
  const auto cls = in.u16();
  out.cls = cls & static_cast<std::uint16_t>(~kFlushBit);
  out.unicast = (cls & kFlushBit) != 0;
  return out;
}

}  // namespace

std::string Name::key() const {
  std::string out;
  for (const auto& label : labels) {
    out += static_cast<char>(label.size());
    for (const char c : label) out += lower(c);
  }
  return out;
}

// Without building keys: one packet may ask for as many comparisons as it has questions, times its answers.
bool Name::operator==(const Name& other) const {
  const auto same_letter = [](char a, char b) { return lower(a) == lower(b); };
  return std::equal(labels.begin(), labels.end(), other.labels.begin(), other.labels.end(),
                    [&](const std::string& a, const std::string& b) {
                      return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same_letter);
                    });
}

std::string Name::to_string() const {
  std::string out;
  for (const auto& label : labels) out += (out.empty() ? "" : ".") + label;
  return out;
}

bool Name::ends_with(const Name& suffix) const {
  if (labels.size() < suffix.labels.size()) return false;
  const Name end{{labels.end() - static_cast<std::ptrdiff_t>(suffix.labels.size()), labels.end()}};
  return end == suffix;
}

Name name(std::string_view dotted) {
  Name out;
  while (!dotted.empty()) {
    const auto dot = dotted.find('.');
    out.labels.emplace_back(dotted.substr(0, dot));
    dotted = dot == std::string_view::npos ? std::string_view() : dotted.substr(dot + 1);
  }
  return out;
}

Name prefixed(std::string label, const Name& rest) {
  Name out{{std::move(label)}};
  out.labels.insert(out.labels.end(), rest.labels.begin(), rest.labels.end());
  return out;
}

namespace {

bool same_data(const Ptr& a, const Ptr& b) { return a.target == b.target; }
bool same_data(const Srv& a, const Srv& b) {
  return std::tie(a.priority, a.weight, a.port) == std::tie(b.priority, b.weight, b.port) && a.target == b.target;
}
bool same_data(const Txt& a, const Txt& b) { return a.strings == b.strings; }
bool same_data(const Host& a, const Host& b) { return a.ip == b.ip; }
bool same_data(const Nsec& a, const Nsec& b) {  // types in whatever order
  return a.name == b.name && std::is_permutation(a.types.begin(), a.types.end(), b.types.begin(), b.types.end());
}
bool same_data(const Opaque& a, const Opaque& b) { return a.bytes == b.bytes; }

}  // namespace

bool Record::same(const Record& other) const {
  if (type != other.type || cls != other.cls || data.index() != other.data.index() || name != other.name) return false;
  return std::visit(
      [&](const auto& mine) { return same_data(mine, std::get<std::decay_t<decltype(mine)>>(other.data)); }, data);
}

Result<Message> read(ByteView bytes) {
  if (bytes.size() > kMaxMessage) return fail(Fault::too_big);
  if (bytes.size() < kHeader) return fail(Fault::truncated);
  std::size_t names = kMaxNames;
  Cursor in(bytes, 0, bytes.size(), names);
  Message out;
  out.id = in.u16();
  const auto flags = in.u16();
  if ((flags & 0x780f) != 0) return fail(Fault::unsupported);  // operation, error (RFC 6762 sections 18.3, 18.11)
  out.response = (flags & 0x8000) != 0;
  out.truncated = (flags & 0x0200) != 0;
  std::size_t counts[4];
  for (auto& n : counts) n = in.u16();
  if (counts[0] + counts[1] + counts[2] + counts[3] > kMaxItems) return fail(Fault::too_big);
  for (std::size_t i = 0; i < counts[0]; ++i) {
    out.questions.push_back(read_question(in));
    if (!in.ok()) return fail(Fault::malformed);
  }
  std::vector<Record>* sections[] = {&out.answers, &out.authorities, &out.additionals};
  for (std::size_t s = 0; s < 3; ++s) {
    for (std::size_t i = 0; i < counts[s + 1]; ++i) {
      auto record = read_record(in);
      if (!record || !in.ok()) return fail(Fault::malformed);
      sections[s]->push_back(std::move(*record));
    }
  }
  return out;
}

Bytes data_bytes(const Data& data) {
  Record record;
  record.data = data;
  Builder plain(true, kMaxMessage);
  // A builder of its own would compress inside one record only; names of data stand alone, so nothing is shortened.
  if (!plain.add(Builder::Section::answer, record)) return {};
  auto whole = plain.take();
  return {whole.begin() + kHeader + 11, whole.end()};  // root name, type, class, time, length
}

Builder::Builder(bool response, std::size_t limit, std::uint16_t id) : response_(response), limit_(limit), id_(id) {
  out_.resize(kHeader);
}

namespace {

void u16(Bytes& out, std::size_t v) {
  out.push_back(static_cast<std::uint8_t>(v >> 8));
  out.push_back(static_cast<std::uint8_t>(v));
}

}  // namespace

void Builder::put_name(const Name& name) {
  for (auto rest = name; !rest.labels.empty(); rest.labels.erase(rest.labels.begin())) {
    const auto [at, fresh] = offsets_.emplace(rest.key(), out_.size());
    if (!fresh) return u16(out_, 0xc000 | at->second);
    if (out_.size() >= 0x4000) offsets_.erase(at);
    const auto& label = rest.labels.front();
    out_.push_back(static_cast<std::uint8_t>(label.size()));
    append(out_, view(label));
  }
  out_.push_back(0);
}

void Builder::put_data(const Data& data) {
  if (const auto* ptr = std::get_if<Ptr>(&data)) {
    put_name(ptr->target);
  } else if (const auto* srv = std::get_if<Srv>(&data)) {
    for (const auto v : {srv->priority, srv->weight, srv->port}) u16(out_, v);
    put_name(srv->target);
  } else if (const auto* txt = std::get_if<Txt>(&data)) {
    for (const auto& s : txt->strings) {
      out_.push_back(static_cast<std::uint8_t>(s.size()));
      append(out_, view(s));
    }
    if (txt->strings.empty()) out_.push_back(0);  // RFC 6763 section 6.1
  } else if (const auto* host = std::get_if<Host>(&data)) {
    append(out_, ByteView(host->ip.bytes).subspan(host->ip.is_v4() ? 12 : 0));
  } else if (const auto* nsec = std::get_if<Nsec>(&data)) {
    put_name(nsec->name);
    Bytes bits(1);
    for (const auto type : nsec->types) {
      const auto n = static_cast<std::size_t>(type);
      if (bits.size() <= n / 8) bits.resize(n / 8 + 1);
      bits[n / 8] |= static_cast<std::uint8_t>(0x80 >> n % 8);
    }
    out_.push_back(0);
    out_.push_back(static_cast<std::uint8_t>(bits.size()));
    append(out_, bits);
  } else {
    append(out_, std::get<Opaque>(data).bytes);
  }
}

template <class F>
bool Builder::guarded(Section section, F write) {
  const auto before = out_.size();
  write();
  if (out_.size() > limit_) {
    out_.resize(before);
    std::erase_if(offsets_, [&](const auto& entry) { return entry.second >= before; });
    return false;
  }
  ++counts_[static_cast<std::size_t>(section)];
  return true;
}

bool Builder::add(const Question& question) {
  return guarded(Section::question, [&] {
    put_name(question.name);
    u16(out_, static_cast<std::uint16_t>(question.type));
    u16(out_, question.cls | (question.unicast ? kFlushBit : 0U));
  });
}

bool Builder::add(Section section, const Record& record) {
  return guarded(section, [&] {
    put_name(record.name);
    u16(out_, static_cast<std::uint16_t>(record.type));
    u16(out_, record.cls | (record.flush ? kFlushBit : 0U));
    u16(out_, record.ttl >> 16);
    u16(out_, record.ttl & 0xffff);
    const auto length_at = out_.size();
    u16(out_, 0);
    put_data(record.data);
    const auto length = out_.size() - length_at - 2;
    out_[length_at] = static_cast<std::uint8_t>(length >> 8);
    out_[length_at + 1] = static_cast<std::uint8_t>(length);
  });
}

Bytes Builder::take() {
  Bytes head;
  u16(head, id_);
  u16(head, (response_ ? 0x8400U : 0U) | (truncated_ ? 0x0200U : 0U));
  for (const auto n : counts_) u16(head, n);
  std::copy(head.begin(), head.end(), out_.begin());
  return std::move(out_);
}

}  // namespace linnet::overlay::dns
