// ConferenceInfo to XML.
#include <pugixml.hpp>

#include "crypto/text.h"
#include "sip/chars.h"
#include "sip/conference_words.h"

namespace linnet::sip {
namespace {

// What may stand in a document: no control characters, and nothing that is not UTF-8.
std::string as_text(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, kMaxConferenceText))
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n') out.push_back(c);
  if (crypto::is_utf8(out)) return out;
  while (!out.empty() && text.size() > kMaxConferenceText && static_cast<unsigned char>(out.back()) >= 0x80)
    out.pop_back();  // cut inside a character
  if (!crypto::is_utf8(out)) std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return out;
}

void attribute(pugi::xml_node& node, const char* name, std::string_view value) {
  auto text = as_text(value);
  std::erase_if(text, [](char c) { return chars::is(c, chars::kLws); });
  node.append_attribute(name).set_value(text.c_str());
}
void put_state(pugi::xml_node& node, InfoState state) {
  if (state != InfoState::full) attribute(node, "state", word_for(state));
}
void put(pugi::xml_node& node, const char* name, const std::optional<std::string>& value) {
  if (value) node.append_child(name).text().set(as_text(*value).c_str());
}
void put(pugi::xml_node& node, const char* name, std::optional<std::uint32_t> value) {
  if (value) node.append_child(name).text().set(*value);
}
void put(pugi::xml_node& node, const char* name, std::optional<bool> value) {
  if (value) node.append_child(name).text().set(*value);
}
template <class E>
void put_word(pugi::xml_node& node, const char* name, const std::optional<E>& value) {
  if (value) node.append_child(name).text().set(std::string(word_for(*value)).c_str());
}

void put(pugi::xml_node& parent, const ConferenceDescription& description) {
  auto node = parent.append_child("conference-description");
  put_state(node, description.state);
  put(node, "display-text", description.display_text);
  put(node, "subject", description.subject);
  put(node, "free-text", description.free_text);
  put(node, "maximum-user-count", description.maximum_user_count);
}

void put(pugi::xml_node& parent, const ConferenceState& state) {
  auto node = parent.append_child("conference-state");
  put(node, "user-count", state.user_count);
  put(node, "active", state.active);
  put(node, "locked", state.locked);
}

void put(pugi::xml_node& parent, const ConferenceMedia& media) {
  auto node = parent.append_child("media");
  attribute(node, "id", media.id);
  put(node, "display-text", media.display_text);
  put(node, "type", media.type);
  put(node, "label", media.label);
  put(node, "src-id", media.src_id);
  put_word(node, "status", media.status);
}

void put(pugi::xml_node& parent, const ConferenceEndpoint& endpoint) {
  auto node = parent.append_child("endpoint");
  attribute(node, "entity", endpoint.entity);
  put_state(node, endpoint.state);
  put(node, "display-text", endpoint.display_text);
  put_word(node, "status", endpoint.status);
  put_word(node, "joining-method", endpoint.joining_method);
  put_word(node, "disconnection-method", endpoint.disconnection_method);
  for (const auto& media : endpoint.media) put(node, media);
}

void put(pugi::xml_node& parent, const ConferenceUser& user) {
  auto node = parent.append_child("user");
  attribute(node, "entity", user.entity);
  put_state(node, user.state);
  put(node, "display-text", user.display_text);
  if (user.roles) {
    auto roles = node.append_child("roles");
    for (const auto& role : *user.roles) roles.append_child("entry").text().set(as_text(role).c_str());
  }
  put(node, "cascaded-focus", user.cascaded_focus);
  for (const auto& endpoint : user.endpoints) put(node, endpoint);
}

struct StringWriter final : pugi::xml_writer {
  std::string out;
  void write(const void* data, std::size_t size) override { out.append(static_cast<const char*>(data), size); }
};

}  // namespace

std::string to_xml(const ConferenceInfo& info) {
  pugi::xml_document document;
  auto declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version").set_value("1.0");
  declaration.append_attribute("encoding").set_value("UTF-8");
  auto root = document.append_child("conference-info");
  attribute(root, "xmlns", "urn:ietf:params:xml:ns:conference-info");
  attribute(root, "entity", info.entity);
  attribute(root, "state", word_for(info.state));
  attribute(root, "version", std::to_string(info.version));
  if (info.description) put(root, *info.description);
  if (info.conference_state) put(root, *info.conference_state);
  if (info.users_state || !info.users.empty()) {
    auto users = root.append_child("users");
    put_state(users, info.users_state.value_or(InfoState::full));
    for (const auto& user : info.users) put(users, user);
  }
  StringWriter writer;
  document.save(writer, "", pugi::format_raw, pugi::encoding_utf8);
  return std::move(writer.out);
}

std::string_view to_string(InfoState state) { return word_for(state); }
std::string_view to_string(EndpointStatus status) { return word_for(status); }
std::string_view to_string(JoiningMethod method) { return word_for(method); }
std::string_view to_string(DisconnectionMethod method) { return word_for(method); }
std::string_view to_string(MediaStatus status) { return word_for(status); }

}  // namespace linnet::sip
