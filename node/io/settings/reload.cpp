#include "node/io/settings/reload.h"

#include "node/io/settings/table.h"

namespace linnet::io {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

}  // namespace

std::string Changes::text() const {
  if (!any()) return "Reloaded: nothing has changed.";
  std::string out = now.empty() ? "Reloaded." : "Reloaded: " + joined(now) + ".";
  if (!restart.empty()) out += " Needs a restart: " + joined(restart) + ".";
  return out;
}

Changes compare(const Settings& before, const Settings& after) {
  Changes out;
  for (const auto& setting : setting_table()) {
    const auto was = setting.text(before), is = setting.text(after);
    if (was == is) continue;
    auto& list = setting.when == Setting::When::now ? out.now : out.restart;
    list.push_back(setting.key() + (setting.personal ? "" : " " + was + " -> " + is));
  }
  return out;
}

Settings take_over(const Settings& running, const Settings& read) {
  Settings out = running;
  for (const auto& setting : setting_table())
    if (setting.when == Setting::When::now) setting.carry(read, out);
  return out;
}

std::string value_text(const Settings& settings, const std::string& key) {
  for (const auto& setting : setting_table())
    if (setting.key() == key) return setting.text(settings);
  return {};
}

}  // namespace linnet::io
