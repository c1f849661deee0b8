#include "overlay/reset.h"

#include "overlay/handshake_packet.h"

namespace linnet::overlay {
namespace {

constexpr double kOfPrefix = 20;  // a second
constexpr double kOfAll = 1000;
constexpr std::size_t kPrefixes = 512;
const IpAddress kAnybody = IpAddress::v4(1);

}  // namespace

Resetter::Resetter(const crypto::Suite& suite, const crypto::Identity& identity)
    : suite_(&suite),
      key_(crypto::hash256({view("linnet-1 reset"), identity.session.secret.bytes()}).bytes),
      each_(kOfPrefix, 2 * kOfPrefix, kPrefixes),
      all_(kOfAll, kOfAll, 1) {}

crypto::Mac Resetter::token(std::uint32_t index) const {
  Writer name(4);
  name.u32(index);
  return suite_->mac(key_.bytes(), {name.written()});
}

std::optional<Bytes> Resetter::answer(Time now, const IpAddress& from, const DataHeader& header) {
  if (!each_.allow(now, from) || !all_.allow(now, kAnybody)) return std::nullopt;
  Bytes head;
  write_data_header(head, header);
  Writer out(kResetBytes);
  out.u8(kCookiePacket).u8(kResetKind).bytes(ByteView(head).subspan(1));
  const auto tag = suite_->mac(token(header.receiver), {out.written()});
  out.bytes(tag);
  return out.take();
}

std::optional<DataHeader> read_reset(ByteView packet) {
  if (packet.size() != kResetBytes || packet[0] != kCookiePacket || packet[1] != kResetKind) return std::nullopt;
  Bytes head{kDataPacket};
  append(head, packet.subspan(2, kDataHeaderBytes - 1));
  head.resize(kMinDataPacket);
  const auto header = read_data_header(head);
  return header ? std::optional(*header) : std::nullopt;
}

bool reset_good(const crypto::Suite& suite, const crypto::Mac& token, ByteView packet) {
  crypto::Mac tag{};
  const auto at = packet.last(tag.size());
  std::copy(at.begin(), at.end(), tag.begin());
  return crypto::same(tag, suite.mac(token, {packet.first(packet.size() - tag.size())}));
}

}  // namespace linnet::overlay
