// XML to ConferenceInfo. The bytes are held to their bounds before the parser sees them.
#include "sip/conference_info.h"

#include <algorithm>
#include <pugixml.hpp>

#include "crypto/text.h"
#include "sip/chars.h"
#include "sip/conference_words.h"

namespace linnet::sip {
namespace {

constexpr std::string_view kConferenceSpace = "urn:ietf:params:xml:ns:conference-info";
constexpr int kMostDepth = 16;
constexpr int kMostElements = 16 * 1024;

// Behind the '>' of a tag that begins at `i`; npos when it does not end.
std::size_t end_of_tag(std::string_view xml, std::size_t i) {
  for (char quote = 0; i < xml.size(); ++i) {
    if (quote != 0) {
      if (xml[i] == quote) quote = 0;
    } else if (xml[i] == '"' || xml[i] == '\'') {
      quote = xml[i];
    } else if (xml[i] == '>') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

std::size_t behind(std::string_view xml, std::size_t i, std::string_view end) {
  const auto at = xml.find(end, i);
  return at == std::string_view::npos ? at : at + end.size();
}

// Depth and number of elements are bounded, everything ends, and there is no declaration.
Status check_shape(std::string_view xml) {
  int depth = 0;
  int elements = 0;
  for (auto i = xml.find('<'); i < xml.size(); i = xml.find('<', i)) {
    const auto rest = xml.substr(i);
    if (rest.starts_with("<!--")) {
      i = behind(xml, i + 4, "-->");
    } else if (rest.starts_with("<![CDATA[")) {
      i = behind(xml, i, "]]>");
    } else if (rest.starts_with("<!")) {
      return fail(Fault::unsupported);
    } else if (rest.starts_with("<?")) {
      i = behind(xml, i, "?>");
    } else {
      const bool closes = rest.starts_with("</");
      i = end_of_tag(xml, i);
      if (i != std::string_view::npos && xml[i - 2] != '/') depth += closes ? -1 : 1;
      if (depth > kMostDepth || ++elements > kMostElements) return fail(Fault::too_big);
    }
    if (i == std::string_view::npos) return fail(Fault::malformed);
  }
  return {};
}

bool is_legal_text(std::string_view text) {
  for (char c : text)
    if (static_cast<unsigned char>(c) < 0x20 && !chars::is(c, chars::kLws)) return false;
  return crypto::is_utf8(text);
}

// Takes a document apart; the first thing that is wrong stays in `fault`.
class InfoReader {
 public:
  explicit InfoReader(std::string_view prefix) : prefix_(prefix) {}

  ConferenceInfo read(const pugi::xml_node& root) {
    ConferenceInfo out;
    out.entity = key(root, "entity");
    out.state = state(root);
    const auto version = chars::number(chars::trim(root.attribute("version").value()), 0xffffffffu);
    if (!version) set(Fault::malformed);
    out.version = static_cast<std::uint32_t>(version.value_or(0));
    if (const auto n = child(root, "conference-description")) out.description = description(n);
    if (const auto n = child(root, "conference-state"))
      out.conference_state = {count(n, "user-count"), flag(n, "active"), flag(n, "locked")};
    if (const auto n = child(root, "users")) {
      out.users_state = state(n);
      out.users = list<ConferenceUser>(n, "user", kMaxConferenceUsers, [&](const auto& u) { return user(u); });
    }
    return out;
  }
  std::optional<Fault> fault() const { return fault_; }

 private:
  void set(Fault fault) {
    if (!fault_) fault_ = fault;
  }
  bool is(const pugi::xml_node& node, std::string_view name) const {
    if (node.type() != pugi::node_element) return false;
    const std::string_view whole = node.name();
    if (prefix_.empty()) return whole == name && std::string_view(node.attribute("xmlns").as_string(kSpace)) == kSpace;
    return whole.size() == prefix_.size() + 1 + name.size() && whole.starts_with(prefix_) && whole.ends_with(name) &&
           whole[prefix_.size()] == ':';
  }
  pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) const {
    for (const auto& n : parent.children())
      if (is(n, name)) return n;
    return {};
  }
  template <class T, class Read>
  std::vector<T> list(const pugi::xml_node& parent, std::string_view name, std::size_t most, Read read) {
    std::vector<T> out;
    for (const auto& n : parent.children()) {
      if (fault_ || !is(n, name)) continue;
      if (out.size() == most)
        set(Fault::too_big);
      else
        out.push_back(read(n));
    }
    return out;
  }
  std::string legal(std::string value) {
    std::erase(value, '\r');  // XML has one kind of line end
    if (value.size() > kMaxConferenceText) set(Fault::too_big);
    if (!is_legal_text(value)) set(Fault::malformed);
    return value;
  }
  std::string text_of(const pugi::xml_node& node) {
    std::string out;
    for (const auto& n : node.children())
      if (n.type() == pugi::node_pcdata || n.type() == pugi::node_cdata) out.append(n.value());
    return legal(std::move(out));
  }
  std::string key(const pugi::xml_node& node, const char* name) {
    auto out = legal(node.attribute(name).value());
    const bool blank = std::any_of(out.begin(), out.end(), [](char c) { return chars::is(c, chars::kLws); });
    if (out.empty() || blank) set(Fault::malformed);
    return out;
  }
  std::optional<std::string> text(const pugi::xml_node& parent, std::string_view name) {
    const auto n = child(parent, name);
    if (!n) return std::nullopt;
    return text_of(n);
  }
  InfoState state(const pugi::xml_node& node) {
    const std::string_view value = node.attribute("state").as_string("full");
    const auto out = word_from<InfoState>(value);
    if (!out) set(Fault::malformed);
    return out.value_or(InfoState::full);
  }
  // A word that is not known says nothing.
  template <class E>
  std::optional<E> word(const pugi::xml_node& parent, std::string_view name) {
    const auto value = text(parent, name);
    return value ? word_from<E>(chars::trim(*value)) : std::nullopt;
  }
  std::optional<std::uint32_t> count(const pugi::xml_node& parent, std::string_view name) {
    const auto value = text(parent, name);
    if (!value) return std::nullopt;
    const auto n = chars::number(chars::trim(*value), 0xffffffffu);
    if (!n) set(Fault::malformed);
    return static_cast<std::uint32_t>(n.value_or(0));
  }
  std::optional<bool> flag(const pugi::xml_node& parent, std::string_view name) {
    const auto value = text(parent, name);
    if (!value) return std::nullopt;
    const auto word = chars::trim(*value);
    if (word != "true" && word != "1" && word != "false" && word != "0") set(Fault::malformed);
    return word == "true" || word == "1";
  }

  ConferenceDescription description(const pugi::xml_node& n) {
    return {state(n), text(n, "display-text"), text(n, "subject"), text(n, "free-text"),
            count(n, "maximum-user-count")};
  }
  ConferenceUser user(const pugi::xml_node& n) {
    ConferenceUser out;
    out.entity = key(n, "entity");
    out.state = state(n);
    out.display_text = text(n, "display-text");
    if (const auto roles = child(n, "roles"))
      out.roles = list<std::string>(roles, "entry", kMaxConferenceParts, [&](const auto& e) { return text_of(e); });
    out.cascaded_focus = text(n, "cascaded-focus");
    out.endpoints =
        list<ConferenceEndpoint>(n, "endpoint", kMaxConferenceParts, [&](const auto& e) { return endpoint(e); });
    return out;
  }
  ConferenceEndpoint endpoint(const pugi::xml_node& n) {
    ConferenceEndpoint out;
    out.entity = key(n, "entity");
    out.state = state(n);
    out.display_text = text(n, "display-text");
    out.status = word<EndpointStatus>(n, "status");
    out.joining_method = word<JoiningMethod>(n, "joining-method");
    out.disconnection_method = word<DisconnectionMethod>(n, "disconnection-method");
    out.media = list<ConferenceMedia>(n, "media", kMaxConferenceParts, [&](const auto& m) { return media(m); });
    return out;
  }
  ConferenceMedia media(const pugi::xml_node& n) {
    return {key(n, "id"),     text(n, "display-text"), text(n, "type"),
            text(n, "label"), text(n, "src-id"),       word<MediaStatus>(n, "status")};
  }

  static constexpr const char* kSpace = kConferenceSpace.data();

  std::string_view prefix_;
  std::optional<Fault> fault_;
};

}  // namespace

Result<ConferenceInfo> parse_conference_info(std::string_view xml) {
  if (xml.size() > kMaxConferenceInfo) return fail(Fault::too_big);
  if (auto ok = check_shape(xml); !ok) return fail(ok.error());
  pugi::xml_document document;
  // Entities but those of XML itself stay as they are: nothing is expanded.
  const auto flags = pugi::parse_default | pugi::parse_ws_pcdata_single;
  if (!document.load_buffer(xml.data(), xml.size(), flags, pugi::encoding_utf8)) return fail(Fault::malformed);
  const auto root = document.document_element();
  const std::string_view name = root.name();
  const auto colon = name.find(':');
  const auto prefix = colon == std::string_view::npos ? std::string_view{} : name.substr(0, colon);
  const auto space = prefix.empty() ? std::string("xmlns") : "xmlns:" + std::string(prefix);
  if (name.substr(prefix.empty() ? 0 : colon + 1) != "conference-info" ||
      root.attribute(space.c_str()).value() != kConferenceSpace)
    return fail(Fault::malformed);
  InfoReader reader(prefix);
  auto out = reader.read(root);
  if (const auto fault = reader.fault()) return fail(*fault);
  return out;
}

}  // namespace linnet::sip
