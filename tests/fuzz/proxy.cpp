// What a proxy answers, and how settings name one. However the answer is cut, the client comes to the same end; it
// holds no more than its bound, and says nothing it was not told to.
#include "overlay/proxy.h"

#include <algorithm>

#include "require.h"

using namespace linnet;
using namespace linnet::overlay;

namespace {

struct End {
  bool open = false, failed = false;
  std::string why;
  Bytes rest, said;
  bool operator==(const End&) const = default;
};

End read(const Proxy& proxy, const ProxyTarget& target, ByteView answer, std::size_t piece) {
  End out;
  ProxyClient client(proxy, target);
  append(out.said, client.take_output());
  while (!answer.empty() && !out.failed) {
    const auto some = answer.first(std::min(piece, answer.size()));
    answer = answer.subspan(some.size());
    out.failed = !client.push(some).has_value();
    append(out.said, client.take_output());
  }
  out.open = client.open();
  out.why = client.why();
  if (out.open) out.rest = client.take_rest();
  fuzz::require(!(out.open && out.failed));
  fuzz::require(out.failed == !out.why.empty());
  return out;
}

void text_of_one(std::string_view line) {
  const auto proxy = Proxy::parse(line);
  if (!proxy) return;
  fuzz::require(!proxy->host.empty() && proxy->port != 0);
  const auto again = Proxy::parse(proxy->shown());
  fuzz::require(again && again->host == proxy->host && again->port == proxy->port && again->kind == proxy->kind);
  fuzz::require(again->user.empty() && again->password.empty());
}

}  // namespace

// The input: a byte of which the two lowest bits choose the proxy, the others how the answer is cut; then the answer.
// It is read as the text of a proxy and of NO_PROXY too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView answer(data + 1, size - 1);
  Proxy proxy;
  proxy.kind = (data[0] & 1) != 0 ? ProxyKind::socks5 : ProxyKind::http;
  proxy.host = "proxy.example";
  proxy.port = 3128;
  if ((data[0] & 2) != 0) {
    proxy.user = "ann";
    proxy.password = "secret";
  }
  ProxyTarget target{(data[0] & 4) != 0 ? "node.example" : "", {IpAddress::v4(203, 0, 113, 9), 443, Transport::tls}};
  // Beyond the bound what is held depends on the cut, so whole and in pieces are compared below it.
  const auto short_answer = answer.first(std::min(answer.size(), ProxyClient::kMostAnswer));
  const auto whole = read(proxy, target, short_answer, short_answer.size() + 1);
  const auto pieces = read(proxy, target, short_answer, 1 + data[0] / 8U);
  fuzz::require(whole.open == pieces.open && whole.failed == pieces.failed && whole.why == pieces.why);
  fuzz::require(whole.rest == pieces.rest && whole.said == pieces.said);
  (void)read(proxy, target, answer, 1 + data[0] / 8U);
  text_of_one(text(answer));
  const NoProxy except(text(answer));
  (void)except.covers(target);
  (void)except.covers({"a.node.example", target.endpoint});
  return 0;
}
