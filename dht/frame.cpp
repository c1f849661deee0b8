#include "dht/frame.h"

namespace linnet::dht {
namespace {

Bytes header_bytes(const Header& header) {
  Writer out(kHeaderBytes);
  out.u8(header.type).u8(static_cast<std::uint8_t>(header.pattern)).u64(header.transaction);
  return out.take();
}

crypto::Mac mac_at(ByteView frame, std::size_t offset) {
  crypto::Mac out{};
  std::memcpy(out.data(), frame.data() + offset, out.size());
  return out;
}

}  // namespace

Result<Header> read_header(ByteView frame) {
  Reader in(frame);
  Header out;
  out.type = in.u8();
  out.pattern = static_cast<Pattern>(in.u8());
  out.transaction = in.u64();
  if (!in.ok()) return fail(Fault::truncated);
  if (out.type != kRequestType && out.type != kAnswerType) return fail(Fault::unsupported);
  const bool known = out.pattern == Pattern::nk || out.pattern == Pattern::nk_psk0 ||
                     (out.pattern == Pattern::cookie && out.type == kAnswerType);
  if (!known) return fail(Fault::unsupported);
  return out;
}

Result<RequestView> split_request(ByteView frame) {
  if (frame.size() < kRequestOverhead) return fail(Fault::truncated);
  if (frame.size() > kMaxDatagram) return fail(Fault::too_big);
  const auto header = read_header(frame);
  if (!header) return fail(header.error());
  RequestView out;
  out.header = *header;
  out.before_mac2 = frame.first(frame.size() - kMacBytes);
  out.before_mac1 = out.before_mac2.first(out.before_mac2.size() - kMacBytes);
  out.message = out.before_mac1.subspan(kHeaderBytes);
  out.mac1 = mac_at(frame, out.before_mac1.size());
  out.mac2 = mac_at(frame, out.before_mac2.size());
  return out;
}

Sealer::Sealer(const crypto::Suite& suite, const crypto::NetworkId& network, std::optional<crypto::Secret> psk)
    : suite_(&suite), network_(network), psk_(std::move(psk)) {}

crypto::noise::Setup Sealer::setup(const Header& header, const crypto::Secret& ephemeral, Bytes& prologue) const {
  prologue = copy(view("linnet-1 rpc"));
  append(prologue, network_);
  append(prologue, header_bytes(header));
  crypto::noise::Setup out;
  out.pattern = psk_ ? "NKpsk0" : "NK";
  out.prologue = prologue;
  out.ephemeral_pair = suite_->ephemeral_pair(ephemeral);
  out.psk = psk_;
  return out;
}

Result<Sealer::Sealed> Sealer::seal_request(TransactionId id, const crypto::SessionKey& responder,
                                            const crypto::Secret& ephemeral, ByteView payload) const {
  const Header header{kRequestType, pattern(), id};
  Bytes prologue;
  auto s = setup(header, ephemeral, prologue);
  s.role = crypto::noise::Role::initiator;
  s.remote_static = responder;
  Sealed out{crypto::noise::Handshake(*suite_, std::move(s)), header_bytes(header)};
  out.frame.reserve(kRequestOverhead + payload.size());
  if (auto ok = out.handshake.write(payload, out.frame); !ok) return fail(ok.error());
  const auto mac1 = crypto::Mac1(*suite_, responder).compute(out.frame);
  append(out.frame, mac1);
  append(out.frame, crypto::Mac{});
  return out;
}

void Sealer::set_mac2(Bytes& frame, const crypto::Mac& cookie) const {
  const auto covered = frame.size() - kMacBytes;
  const auto mac2 = suite_->mac(cookie, {ByteView(frame).first(covered)});
  std::memcpy(frame.data() + covered, mac2.data(), mac2.size());
}

Result<Sealer::Opened> Sealer::open_request(const RequestView& request, const crypto::DhPair& own,
                                            const crypto::Secret& ephemeral) const {
  if (request.header.type != kRequestType || request.header.pattern != pattern()) return fail(Fault::unsupported);
  Bytes prologue;
  auto s = setup(request.header, ephemeral, prologue);
  s.role = crypto::noise::Role::responder;
  s.static_pair = own;
  crypto::noise::Handshake handshake(*suite_, std::move(s));
  auto payload = handshake.read(request.message);
  if (!payload) return fail(payload.error());
  return Opened{std::move(handshake), std::move(*payload)};
}

Result<Bytes> Sealer::seal_answer(TransactionId id, crypto::noise::Handshake& handshake, ByteView payload) const {
  Bytes out = header_bytes({kAnswerType, pattern(), id});
  if (auto ok = handshake.write(payload, out); !ok) return fail(ok.error());
  return out;
}

Result<Bytes> Sealer::open_answer(crypto::noise::Handshake& handshake, ByteView frame) const {
  if (frame.size() < kAnswerOverhead) return fail(Fault::truncated);
  return handshake.read(frame.subspan(kHeaderBytes));
}

// One key for each request, known to who saw the request: an attacker off the path can neither forge nor replay a
// cookie.
crypto::Secret Sealer::cookie_key(const crypto::SessionKey& responder, TransactionId id,
                                  const crypto::Mac& mac1) const {
  Writer transaction(8);
  transaction.u64(id);
  return crypto::Secret(crypto::hash256({view("linnet-1 cookie"), responder, transaction.written(), mac1}).bytes);
}

Bytes Sealer::cookie_reply(const RequestView& request, const crypto::SessionKey& own, const crypto::Mac& cookie) const {
  Bytes out = header_bytes({kAnswerType, Pattern::cookie, request.header.transaction});
  const auto ad = out;
  suite_->seal(cookie_key(own, request.header.transaction, request.mac1), 0, ad, cookie, out);
  return out;
}

Result<crypto::Mac> Sealer::open_cookie_reply(ByteView reply, ByteView request,
                                              const crypto::SessionKey& responder) const {
  if (reply.size() != kCookieReplyBytes) return fail(Fault::malformed);
  const auto header = read_header(reply);
  const auto sent = split_request(request);
  if (!header || !sent) return fail(Fault::malformed);
  Bytes sealed = copy(reply.subspan(kHeaderBytes));
  const auto key = cookie_key(responder, header->transaction, sent->mac1);
  const auto plain = suite_->open_in_place(key, 0, reply.first(kHeaderBytes), sealed);
  if (!plain) return fail(plain.error());
  return mac_at(*plain, 0);
}

}  // namespace linnet::dht
