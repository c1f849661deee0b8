#include "sip/grammar.h"

#include "sip/name_addr.h"
#include "sip/params.h"
#include "sip/replaces.h"
#include "sip/via.h"

namespace linnet::sip {
namespace {

using namespace chars;

constexpr std::uint64_t kMax32 = 0xffffffffu;

bool any_param(std::string_view, std::string_view) { return true; }

// *( SEMI param ) to the next comma or the end, each of which `judge` must like.
template <class Judge>
bool params_ok(std::string_view& s, Judge&& judge) {
  bool good = true;
  const bool ok =
      take_params(s, [&](std::string_view name, std::string_view value) { good = good && judge(name, value); });
  return ok && good && (s.empty() || s.front() == ',');
}

// element *( COMMA element ); `take_one` takes an element and the white space behind it.
template <class Take>
bool list_of(std::string_view s, bool may_be_empty, Take&& take_one) {
  skip_lws(s);
  if (s.empty()) return may_be_empty;
  for (;;) {
    if (!take_one(s)) return false;
    skip_lws(s);
    if (s.empty()) return true;
    if (s.front() != ',') return false;
    s.remove_prefix(1);
    skip_lws(s);
  }
}

bool take_token(std::string_view& s) { return !take(s, kToken).empty(); }

bool take_callid(std::string_view& s) {
  if (take(s, kWord).empty()) return false;
  if (s.empty() || s.front() != '@') return true;
  s.remove_prefix(1);
  return !take(s, kWord).empty();
}

// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
bool is_qvalue(std::string_view s) {
  if (s.empty() || (s[0] != '0' && s[0] != '1') || s.size() > 5) return false;
  if (s.size() == 1) return true;
  if (s[1] != '.') return false;
  for (char c : s.substr(2))
    if (!is_digit(c) || (s[0] == '1' && c != '0')) return false;
  return true;
}

bool accept_param(std::string_view name, std::string_view value) { return !iequal(name, "q") || is_qvalue(value); }

// "type/subtype", "type/*" or "*/*".
bool take_media_range(std::string_view& s) {
  return take_token(s) && take_separator(s, '/') && take_token(s) && params_ok(s, accept_param);
}

bool take_coding(std::string_view& s) { return take_token(s) && params_ok(s, accept_param); }

// 1*8ALPHA *( "-" 1*8ALPHA ); digits pass, as RFC 5646 has them.
bool take_language_tag(std::string_view& s) {
  auto tag = take(s, kToken);
  while (!tag.empty()) {
    const auto dash = std::min(tag.find('-'), tag.size());
    if (dash == 0 || dash > 8) return false;
    for (char c : tag.substr(0, dash))
      if (!is_digit(c) && (lower(c) < 'a' || lower(c) > 'z')) return false;
    if (dash == tag.size()) return true;
    tag.remove_prefix(dash + 1);
  }
  return false;
}

bool take_language(std::string_view& s) {
  if (!s.empty() && s.front() == '*')
    s.remove_prefix(1);
  else if (!take_language_tag(s))
    return false;
  return params_ok(s, accept_param);
}

// LAQUOT absoluteURI RAQUOT *( SEMI generic-param )
bool take_angled_uri(std::string_view& s) {
  if (s.empty() || s.front() != '<') return false;
  const auto end = s.find('>');
  if (end == std::string_view::npos || !parse_uri(s.substr(1, end - 1))) return false;
  s.remove_prefix(end + 1);
  return params_ok(s, any_param);
}

bool take_route(std::string_view& s) {
  NameAddrView out;
  return take_name_addr(s, out) && out.in_angles;
}

bool contact_param(std::string_view name, std::string_view value) {
  if (iequal(name, "q")) return is_qvalue(value);
  return !iequal(name, "expires") || number(value, kMax32).has_value();
}

bool take_contact(std::string_view& s) {
  auto again = s;
  NameAddrView out;
  if (!take_name_addr(s, out)) return false;
  again.remove_prefix(static_cast<std::size_t>(out.uri_text.data() + out.uri_text.size() - again.data()) +
                      (out.in_angles ? 1 : 0));
  return params_ok(again, contact_param);
}

// name EQUAL ( token / quoted-string )
bool take_auth_param(std::string_view& s) {
  std::string_view value;
  return take_token(s) && take_separator(s, '=') && take_param_value(s, value);
}

// "Digest" or any other scheme, then parameters by comma: credentials and challenge alike. RFC 7235 has a lone token68
// behind a scheme, too, which no SIP element sends.
bool is_credentials(std::string_view s) {
  return take_token(s) && !s.empty() && is(s.front(), kLws) && list_of(s, false, take_auth_param);
}

// "(" *( ctext / quoted-pair / comment ) ")"
bool take_comment(std::string_view& s) {
  int depth = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '\\')
      ++i;
    else if (s[i] == '(')
      ++depth;
    else if (s[i] == ')' && --depth == 0) {
      s.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

// server-val *( LWS server-val ); server-val = token [ SLASH token ] / comment
bool is_product_list(std::string_view s) {
  do {
    if (!s.empty() && s.front() == '(') {
      if (!take_comment(s)) return false;
    } else {
      if (!take_token(s)) return false;
      auto after = s;
      if (take_separator(after, '/')) {
        if (!take_token(after)) return false;
        s = after;
      }
    }
    if (!s.empty() && !is(s.front(), kLws)) return false;
    skip_lws(s);
  } while (!s.empty());
  return true;
}

// rfc1123-date: "Sat, 13 Nov 2010 23:29:00 GMT"
bool is_date(std::string_view s) {
  static constexpr std::string_view kShape = "Aaa, 00 Aaa 0000 00:00:00 GMT";
  static constexpr std::string_view kDays = "MonTueWedThuFriSatSun";
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (s.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char want = kShape[i];
    if (want == '0' ? !is_digit(s[i]) : (want != 'A' && want != 'a' && i < 26 && s[i] != want)) return false;
  }
  const auto day = kDays.find(s.substr(0, 3));
  const auto month = kMonths.find(s.substr(8, 3));
  return day < kDays.size() && day % 3 == 0 && month < kMonths.size() && month % 3 == 0 && s.substr(26) == "GMT";
}

// 1*DIGIT [ "." *DIGIT ], and what is left.
bool take_decimal(std::string_view& s) {
  if (take(s, kDigit).empty()) return false;
  if (s.empty() || s.front() != '.') return true;
  s.remove_prefix(1);
  take(s, kDigit);
  return true;
}

bool is_timestamp(std::string_view s) {
  if (!take_decimal(s)) return false;
  if (s.empty()) return true;
  if (!is(s.front(), kLws)) return false;
  skip_lws(s);
  return take_decimal(s) && s.empty();
}

bool is_mime_version(std::string_view s) {
  if (take(s, kDigit).empty() || s.empty() || s.front() != '.') return false;
  s.remove_prefix(1);
  return !take(s, kDigit).empty() && s.empty();
}

bool is_retry_after(std::string_view s) {
  if (!number(take(s, kDigit), kMax32)) return false;
  skip_lws(s);
  if (!s.empty() && s.front() == '(' && !take_comment(s)) return false;
  return params_ok(s,
                   [](std::string_view name, std::string_view value) {
                     return !iequal(name, "duration") || number(value, kMax32).has_value();
                   }) &&
         s.empty();
}

// 3DIGIT SP ( hostport / pseudonym ) SP quoted-string
bool take_warning(std::string_view& s) {
  if (take(s, kDigit).size() != 3 || s.empty() || s.front() != ' ') return false;
  s.remove_prefix(1);
  if (take(s, kParamHost).empty() || s.empty() || s.front() != ' ') return false;
  s.remove_prefix(1);
  return take_quoted(s).has_value();
}

bool take_with_params(std::string_view& s) { return take_token(s) && params_ok(s, any_param); }

bool is_one_with_params(std::string_view s) { return take_with_params(s) && s.empty(); }

// "true" or "false" (RFC 4488 section 4).
bool is_refer_sub(std::string_view s) {
  const auto value = take(s, kToken);
  return (iequal(value, "true") || iequal(value, "false")) && params_ok(s, any_param) && s.empty();
}

bool is_via_list(std::string_view s) {
  return list_of(s, false, [](std::string_view& rest) {
    ViaView out;
    return take_via(rest, out);
  });
}

bool is_media_type(std::string_view s) {
  std::string_view type;
  return take_media_type(s, type);
}

}  // namespace

bool is_token_list(std::string_view s, bool may_be_empty) { return list_of(s, may_be_empty, take_token); }

bool is_call_id(std::string_view s) { return take_callid(s) && s.empty(); }

bool take_media_type(std::string_view s, std::string_view& type) {
  const auto begin = s;
  if (!take_token(s) || !take_separator(s, '/') || !take_token(s)) return false;
  type = begin.substr(0, begin.size() - s.size());
  return params_ok(s, any_param) && s.empty();
}

bool parse_rack(std::string_view s, RAck& out) {
  const auto response = number(take(s, kDigit), kMax32);
  if (!response || s.empty() || !is(s.front(), kLws)) return false;
  skip_lws(s);
  const auto cseq = parse_cseq(s);
  if (!cseq) return false;
  out = {static_cast<std::uint32_t>(*response), cseq->number, cseq->method};
  return true;
}

bool follows_grammar(HeaderId id, std::string_view s) {
  switch (id) {
    case HeaderId::accept: return list_of(s, true, take_media_range);
    case HeaderId::accept_encoding: return list_of(s, true, take_coding);
    case HeaderId::accept_language: return list_of(s, true, take_language);
    case HeaderId::alert_info:
    case HeaderId::call_info:
    case HeaderId::error_info: return list_of(s, false, take_angled_uri);
    case HeaderId::allow:
    case HeaderId::supported: return is_token_list(s, true);
    case HeaderId::allow_events:
    case HeaderId::content_encoding:
    case HeaderId::proxy_require:
    case HeaderId::require:
    case HeaderId::unsupported: return is_token_list(s, false);
    case HeaderId::authentication_info: return list_of(s, false, take_auth_param);
    case HeaderId::authorization:
    case HeaderId::proxy_authenticate:
    case HeaderId::proxy_authorization:
    case HeaderId::www_authenticate: return is_credentials(s);
    case HeaderId::call_id: return is_call_id(s);
    case HeaderId::contact: return s == "*" || list_of(s, false, take_contact);
    case HeaderId::content_disposition:
    case HeaderId::event:
    case HeaderId::info_package:
    case HeaderId::subscription_state: return is_one_with_params(s);
    case HeaderId::content_language: return list_of(s, false, take_language_tag);
    case HeaderId::content_length:
    case HeaderId::expires:
    case HeaderId::min_expires: return number(s, kMax32).has_value();
    case HeaderId::join:
    case HeaderId::replaces: return parse_replaces(s).has_value();
    case HeaderId::refer_sub: return is_refer_sub(s);
    case HeaderId::rseq: return number(s, kMax32).value_or(0) != 0;
    case HeaderId::content_type: return is_media_type(s);
    case HeaderId::cseq: return parse_cseq(s).has_value();
    case HeaderId::date: return is_date(s);
    case HeaderId::from:
    case HeaderId::refer_to:
    case HeaderId::referred_by:
    case HeaderId::reply_to:
    case HeaderId::to: return parse_name_addr(s).has_value();
    case HeaderId::in_reply_to: return list_of(s, false, take_callid);
    case HeaderId::linnet_call_group:
    case HeaderId::linnet_conference:
    case HeaderId::priority: return is_token(s);
    case HeaderId::max_forwards: return number(s, 255).has_value();
    case HeaderId::mime_version: return is_mime_version(s);
    case HeaderId::rack: {
      RAck out;
      return parse_rack(s, out);
    }
    case HeaderId::reason: return list_of(s, false, take_with_params);
    case HeaderId::record_route:
    case HeaderId::route: return list_of(s, false, take_route);
    case HeaderId::recv_info: return list_of(s, true, take_with_params);
    case HeaderId::retry_after: return is_retry_after(s);
    case HeaderId::server:
    case HeaderId::user_agent: return is_product_list(s);
    case HeaderId::timestamp: return is_timestamp(s);
    case HeaderId::via: return is_via_list(s);
    case HeaderId::warning: return list_of(s, false, take_warning);
    case HeaderId::organization:
    case HeaderId::subject:
    case HeaderId::other:
    case HeaderId::count_: return true;  // TEXT-UTF8-TRIM: control characters were looked for before
  }
  return false;
}

}  // namespace linnet::sip
