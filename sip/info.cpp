// INFO (RFC 6086): packages that were named in Recv-Info, and bodies of the old kind without a package.
#include <algorithm>

#include "sip/chars.h"
#include "sip/user_agent.h"

namespace linnet::sip {
namespace {

constexpr std::size_t kMaxInfo = 16 * 1024;

bool has(const std::vector<std::string>& names, std::string_view wanted) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return chars::iequal(n, wanted); });
}

// "dtmf" of "dtmf;version=2".
std::string_view name_of(std::string_view package) { return chars::take(package, chars::kToken); }

bool lists(std::string_view recv_info, std::string_view package) {
  for (auto rest = recv_info; !rest.empty();) {
    chars::skip_lws(rest);
    if (chars::iequal(chars::take(rest, chars::kToken), package)) return true;
    const auto comma = std::min(rest.find(','), rest.size());
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

}  // namespace

std::string UserAgent::recv_info() const { return comma_list(config_.info_packages); }

void UserAgent::on_info(Time now, InviteSession& session, TransactionId id) {
  const auto package = name_of(in_.value(HeaderId::info_package));
  if (!package.empty() && !has(config_.info_packages, package))
    return refuse(now, id, 469, {}, {"Recv-Info", recv_info()});
  if (package.empty() && !in_.body.empty() && !has(config_.info_types, in_.content_type)) {
    return refuse(now, id, 415, {}, {"Accept", comma_list(config_.info_types)});
  }
  layer_.respond(now, id, response(id, 200, {}, {}));
  emit(InfoReceived{session.id, std::string(package), std::string(in_.content_type), std::string(in_.body)});
}

Status UserAgent::info(Time now, CallId call, InfoParams params) {
  auto* session = calls_.find(call);
  if (session == nullptr) return fail(Fault::not_found);
  if (!params.package.empty() && !chars::is_token(params.package)) return fail(Fault::malformed);
  if (!params.body.empty() && !is_bare_type(params.content_type)) return fail(Fault::malformed);
  if (params.body.size() > kMaxInfo) return fail(Fault::too_big);
  if (!session->talking()) return fail(Fault::refused);
  if (!params.package.empty() && !lists(session->recv_info, params.package)) return fail(Fault::refused);
  auto out = session->leg.dialog.request(Method::info);
  if (!params.package.empty()) out.add(HeaderId::info_package, params.package);
  if (!params.package.empty() && !params.body.empty()) out.add(HeaderId::content_disposition, "Info-Package");
  put_body(out, params.content_type, std::move(params.body));
  if (!layer_.request(now, session->peer, Purpose::info, call, std::move(out), is_reliable(session->peer)))
    return fail(Fault::full);
  return {};
}

}  // namespace linnet::sip
