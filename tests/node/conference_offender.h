// A member whose program is not ours: a whole node whose voice is changed before it is sealed, and who says on its
// links what it likes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "media/rtp.h"
#include "media/rtp_extension.h"
#include "media/srtp.h"
#include "node/conference_message.h"
#include "town.h"

namespace linnet::node {

// What was drawn as SRTP keys.
class NotingRng final : public Rng {
 public:
  explicit NotingRng(std::uint64_t seed) : rng_(seed) {}
  void fill(MutableBytes out) override {
    rng_.fill(out);
    for (const auto suite : media::kSrtpSuites)
      if (const auto key = media::SrtpKey::from_inline(suite, out)) keys.push_back(*key);
  }
  std::vector<media::SrtpKey> keys;

 private:
  SeededRng rng_;
};

class Offender {
 public:
  // The next resident that comes to this town.
  explicit Offender(Town& town) : town_(town) {
    town.next_rng = [this](std::uint64_t seed) {
      auto rng = std::make_unique<NotingRng>(seed);
      rng_ = rng.get();
      return rng;
    };
  }
  // It came: takes the town's `meddle`.
  void is(Resident& who) {
    who_ = &who;
    town_.next_rng = {};
    town_.meddle = [this](const Endpoint& from, const Endpoint&, Bytes& bytes) {
      if (from == who_->endpoint && (voice || sealed)) pass(bytes);
      return false;
    };
  }
  // Each of its packets of voice, plain; and as it leaves.
  std::function<void(Bytes& rtp)> voice;
  std::function<void(Bytes& packet)> sealed;

  // To everybody it has a link to.
  void says(const Bytes& words) {
    constexpr std::uint64_t kMostLinks = 4096;
    // The node does not do such things: its peer is made to.
    auto& peer = const_cast<overlay::Peer&>(who_->node->peer());
    for (std::uint64_t i = 1; i < kMostLinks; ++i) {
      const auto link = static_cast<overlay::SessionId>(i);
      if (peer.report(link)) (void)peer.send(town_.now(), link, overlay::Channel::conference, words);
    }
    town_.drain(*who_);
  }
  void says(const conference::Message& message) { says(conference::write(message)); }

  std::uint64_t changed = 0;

 private:
  struct Line {
    media::Srtp in, out;
    Bytes last, made;  // one packet may go by two ways
  };

  void pass(Bytes& datagram) {
    constexpr std::size_t kCircuitHeader = 8;
    const bool circuit = datagram.size() > kCircuitHeader && datagram[0] == 11 && datagram[1] == 5;
    const std::size_t at = circuit ? kCircuitHeader : 0;
    if (datagram.size() < at + media::kRtpHeader || datagram[at] < 128 || datagram[at] > 191) return;
    if (datagram[at + 1] >= 192 && datagram[at + 1] <= 223) return;  // RTCP
    Bytes packet(datagram.begin() + static_cast<std::ptrdiff_t>(at), datagram.end());
    if (voice) seal_anew(packet);
    if (sealed) {
      ++changed;
      sealed(packet);
    }
    datagram.resize(at);
    datagram.insert(datagram.end(), packet.begin(), packet.end());
  }
  void seal_anew(Bytes& packet) {
    for (; known_ < rng_->keys.size(); ++known_) {
      auto in = media::Srtp::inbound(rng_->keys[known_]);
      auto out = media::Srtp::outbound(rng_->keys[known_]);
      if (in && out) lines_.push_back({std::move(*in), std::move(*out), {}, {}});
    }
    for (auto& line : lines_) {
      if (line.last == packet) return void(packet = line.made);
      auto copy = packet;
      const auto plain = line.in.open_rtp(copy);
      if (!plain) continue;
      Bytes rtp(plain->begin(), plain->end());
      voice(rtp);
      ++changed;
      line.last = packet;
      if (line.out.protect_rtp(rtp)) packet = rtp;
      line.made = packet;
      return;
    }
  }

  Town& town_;
  Resident* who_ = nullptr;
  NotingRng* rng_ = nullptr;
  std::size_t known_ = 0;
  std::vector<Line> lines_;
};

// The octet in which a member says how loud its packet is (RFC 6464); null: there is none.
inline std::uint8_t* said_level(Bytes& rtp) {
  const auto packet = media::parse_rtp(rtp);
  if (!packet || !packet->extension_profile) return nullptr;
  const auto elements = media::parse_elements(*packet->extension_profile, packet->extension);
  const auto level = elements ? elements->find(1) : std::nullopt;
  return level && !level->empty() ? rtp.data() + (level->data() - rtp.data()) : nullptr;
}

}  // namespace linnet::node
