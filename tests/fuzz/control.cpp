// node/io: any line on the control socket. What is refused is answered by a line that can be sent; what is taken keeps
// its bounds.
#include "node/io/control/control_request.h"
#include "node/io/control/lines.h"

#include "base/bytes.h"

#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet;
  using linnet::fuzz::require;
  const auto request = io::parse_request(linnet::text(ByteView(data, size)));
  if (!request) {
    const auto line = io::lines::error(request.error());
    require(line.find('\n') == std::string::npos && line.front() == '{' && line.back() == '}');
    return 0;
  }
  require(size <= io::kMaxControlLine);
  if (const auto* call = std::get_if<io::request::Call>(&*request)) {
    require(!call->who.empty());
    require(call->files.play.empty() || call->files.play.front() == '/');
    require(!call->duration || *call->duration >= Duration::zero());
  }
  return 0;
}
