#include "overlay/rekey.h"

namespace linnet::overlay {

namespace {
// Packets under the old keys may still be on their way.
constexpr Duration kOverlap = std::chrono::seconds(10);
}  // namespace

KeyRing::KeyRing(crypto::noise::Split split, const crypto::Hash512& binding, Time now) {
  current_.send = split.send.key;
  current_.receive = split.receive.key;
  current_.binding = binding;
  current_.since = now;
}

const crypto::Secret* KeyRing::receiving(Time now, std::uint8_t epoch) const {
  if (epoch == current_.epoch) return &current_.receive;
  if (next_ && epoch == next_->epoch) return &next_->receive;
  if (previous_ && epoch == previous_->epoch && now < previous_->until) return &previous_->receive;
  return nullptr;
}

void KeyRing::opened(Time now, std::uint8_t epoch) {
  if (!next_ || epoch != next_->epoch) return;
  promote(now, std::move(*next_));
  next_.reset();
}

void KeyRing::forget_old(Time now) {
  if (previous_ && previous_->until <= now) previous_.reset();
}

void KeyRing::promote(Time now, SessionKeys keys) {
  previous_.reset(new Previous{current_.receive, current_.epoch, now + kOverlap});
  current_ = std::move(keys);
  current_.since = now;
}

crypto::noise::Handshake KeyRing::handshake(const Setup& setup, crypto::noise::Role role,
                                            const std::optional<crypto::SessionKey>& remote) const {
  const auto label = view("linnet-1 rekey");
  Bytes prologue(label.begin(), label.end());
  append(prologue, current_.binding);
  crypto::noise::Setup noise;
  noise.pattern = setup.psk ? "XKpsk3" : "XK";
  noise.role = role;
  noise.prologue = prologue;
  noise.static_pair = setup.identity.session;
  noise.ephemeral_pair = setup.suite.ephemeral_pair(crypto::Secret(setup.rng.array<32>()));
  noise.remote_static = remote;
  noise.psk = setup.psk;
  return crypto::noise::Handshake(setup.suite, std::move(noise));
}

SessionKeys KeyRing::finish() const {
  const auto split = handshake_->split();
  SessionKeys keys;
  keys.send = split.send.key;
  keys.receive = split.receive.key;
  keys.binding = handshake_->handshake_hash();
  keys.epoch = static_cast<std::uint8_t>(current_.epoch + 1);
  return keys;
}

Result<Bytes> KeyRing::begin(const Setup& setup, const crypto::SessionKey& remote) {
  handshake_ = std::make_unique<crypto::noise::Handshake>(handshake(setup, crypto::noise::Role::initiator, remote));
  Bytes message;
  if (auto ok = handshake_->write({}, message); !ok) return fail(ok.error());
  return message;
}

Result<std::optional<Bytes>> KeyRing::on_message(Time now, const Setup& setup, bool initiator,
                                                 const crypto::SessionKey& remote, ByteView message) {
  if (!handshake_) {
    if (initiator) return fail(Fault::malformed);
    handshake_ =
        std::make_unique<crypto::noise::Handshake>(handshake(setup, crypto::noise::Role::responder, std::nullopt));
  }
  if (auto payload = handshake_->read(message); !payload) return fail(payload.error());
  std::optional<Bytes> answer;
  if (handshake_->my_turn()) {
    if (auto ok = handshake_->write({}, answer.emplace()); !ok) return fail(ok.error());
  }
  if (!handshake_->finished()) return answer;
  if (handshake_->remote_static() != remote) return fail(Fault::mismatch);
  // The initiator's last message travels under the old keys: it may use the new ones once the responder does.
  if (initiator) {
    next_ = std::make_unique<SessionKeys>(finish());
  } else {
    promote(now, finish());
  }
  handshake_.reset();
  return answer;
}

}  // namespace linnet::overlay
