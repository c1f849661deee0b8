// sip: any text as a URI, as an address in a field, and as the value of every header. What is accepted is written and
// read back the same, and names one canonical address.
#include "sip/uri.h"

#include "base/bytes.h"
#include "require.h"
#include "sip/grammar.h"
#include "sip/name_addr.h"

namespace {

using namespace linnet;
using namespace linnet::sip;
using linnet::fuzz::require;

void try_uri(std::string_view text) {
  const auto view = parse_uri(text);
  if (!view) return;
  const auto address = canonical_address(*view);
  require(!address.empty() && address.find('\0') == std::string::npos);
  if (!view->is_sip()) return;
  const auto uri = Uri::from(*view);
  const auto written = uri.to_string();
  const auto back = Uri::parse(written);
  require(back.has_value() && *back == uri && back->address() == address);
}

void try_name_addr(std::string_view text) {
  auto rest = text;
  NameAddrView out;
  while (take_name_addr(rest, out)) {
    const auto shown = unquoted(out.display);
    const auto written = name_addr(shown, out.uri_text, out.tag);
    const auto back = parse_name_addr(written);
    require(back.has_value() && back->tag == out.tag && back->uri_text == out.uri_text);
    require(unquoted(back->display) == shown || shown.find_first_not_of(' ') == std::string::npos);
    if (rest.empty()) break;
    rest.remove_prefix(1);
  }
}

void try_all(std::string_view text) {
  try_uri(text);
  try_name_addr(text);
  for (int id = 0; id < static_cast<int>(HeaderId::count_); ++id)
    (void)follows_grammar(static_cast<HeaderId>(id), text);
  (void)header_id(text);
  (void)method_of(text);
}

}  // namespace

// Texts, each ended by a line "%%".
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (auto rest = linnet::text(ByteView(data, size)); !rest.empty();) {
    const auto end = rest.find("%%\n");
    try_all(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 3);
  }
  return 0;
}
