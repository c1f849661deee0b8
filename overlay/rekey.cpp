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

KeyRing::Renewal& KeyRing::renewal() {
  if (!renewal_) renewal_ = std::make_unique<Renewal>();
  return *renewal_;
}

const crypto::Secret* KeyRing::receiving(Time now, std::uint8_t epoch) const {
  if (epoch == current_.epoch) return &current_.receive;
  if (!renewal_) return nullptr;
  const auto& [previous, next, handshake] = *renewal_;
  if (next && epoch == next->epoch) return &next->receive;
  if (previous && epoch == previous->epoch && now < previous->until) return &previous->receive;
  return nullptr;
}

void KeyRing::opened(Time now, std::uint8_t epoch) {
  if (!renewal_ || !renewal_->next || epoch != renewal_->next->epoch) return;
  promote(now, std::move(*renewal_->next));
  renewal_->next.reset();
}

void KeyRing::forget_old(Time now) {
  if (!renewal_) return;
  if (renewal_->previous && renewal_->previous->until <= now) renewal_->previous.reset();
  if (!renewal_->previous && !renewing()) renewal_.reset();
}

void KeyRing::promote(Time now, SessionKeys keys) {
  renewal().previous.emplace(Previous{current_.receive, current_.epoch, now + kOverlap});
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
  const auto& done = *renewal_->handshake;
  const auto split = done.split();
  SessionKeys keys;
  keys.send = split.send.key;
  keys.receive = split.receive.key;
  keys.binding = done.handshake_hash();
  keys.epoch = static_cast<std::uint8_t>(current_.epoch + 1);
  return keys;
}

Result<Bytes> KeyRing::begin(const Setup& setup, const crypto::SessionKey& remote) {
  auto& begun = renewal().handshake.emplace(handshake(setup, crypto::noise::Role::initiator, remote));
  Bytes message;
  if (auto ok = begun.write({}, message); !ok) return fail(ok.error());
  return message;
}

Result<std::optional<Bytes>> KeyRing::on_message(Time now, const Setup& setup, bool initiator,
                                                 const crypto::SessionKey& remote, ByteView message) {
  auto& under_way = renewal().handshake;
  if (!under_way) {
    if (initiator) return fail(Fault::malformed);
    under_way.emplace(handshake(setup, crypto::noise::Role::responder, std::nullopt));
  }
  if (auto payload = under_way->read(message); !payload) return fail(payload.error());
  std::optional<Bytes> answer;
  if (under_way->my_turn()) {
    if (auto ok = under_way->write({}, answer.emplace()); !ok) return fail(ok.error());
  }
  if (!under_way->finished()) return answer;
  if (under_way->remote_static() != remote) return fail(Fault::mismatch);
  // The initiator's last message travels under the old keys: it may use the new ones once the responder does.
  if (initiator) {
    renewal_->next.emplace(finish());
  } else {
    promote(now, finish());
  }
  under_way.reset();
  return answer;
}

}  // namespace linnet::overlay
