#include "node/io/net/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <atomic>
#include <cctype>

#include "base/endpoint.h"

namespace linnet::io {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Ssl = std::unique_ptr<SSL, Freer<SSL_free>>;

// What our side offers: what a client of the web would, so that nothing stands out.
constexpr std::uint8_t kHttp[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
// What we agree to: the same, and TURN's (RFC 7443).
constexpr std::uint8_t kKnown[] = {8,   'h', 't', 't', 'p', '/', '1', '.', '1', 9,
                                   's', 't', 'u', 'n', '.', 't', 'u', 'r', 'n'};

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                    unsigned int in_length, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kKnown, sizeof kKnown, in, in_length) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;  // goes on without
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::atomic<bool>& in_use() {
  static std::atomic<bool> used{false};
  return used;
}

Context context(const SSL_METHOD* method) {
  in_use() = true;
  Context out(SSL_CTX_new(method));
  if (!out || SSL_CTX_set_min_proto_version(out.get(), TLS1_2_VERSION) != 1) return nullptr;
  SSL_CTX_set_options(out.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(out.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(out.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_verify(out.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_num_tickets(out.get(), 0);
  return out;
}

// P-256, since TURN clients and browsers know it; made anew by each process, so that it names no device.
bool make_certificate(SSL_CTX* into) {
  constexpr int kVersion3 = 2;
  constexpr long kDay = 24 * 60 * 60;
  const Key key(EVP_EC_gen("P-256"));
  const Certificate made(X509_new());
  std::uint64_t serial = 0;
  std::uint8_t age = 0;
  if (!key || !made || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1 ||
      RAND_bytes(&age, 1) != 1)
    return false;
  auto* x = made.get();
  auto* name = X509_get_subject_name(x);
  const unsigned char kName[] = "localhost";
  const bool filled =
      X509_set_version(x, kVersion3) == 1 && ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1 | 1) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(x), -(age + 1) * kDay) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(x), (3650 - age) * kDay) != nullptr && X509_set_pubkey(x, key.get()) == 1 &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName, -1, -1, 0) == 1 &&
      X509_set_issuer_name(x, name) == 1 && X509_sign(x, key.get(), EVP_sha256()) != 0;
  return filled && SSL_CTX_use_certificate(into, x) == 1 && SSL_CTX_use_PrivateKey(into, key.get()) == 1;
}

Context server_context() {
  auto out = context(TLS_server_method());
  if (!out || !make_certificate(out.get())) return nullptr;
  SSL_CTX_set_alpn_select_cb(out.get(), choose_protocol, nullptr);
  return out;
}

Context client_context() {
  auto out = context(TLS_client_method());
  if (!out || SSL_CTX_set_alpn_protos(out.get(), kHttp, sizeof kHttp) != 0) return nullptr;
  return out;
}

constexpr std::size_t kFingerprint = 32;

// This certificate and no other, as a TLSA record "3 0 1" names it (RFC 7671): neither its name nor its time counts.
bool pin(SSL_CTX* context, SSL* ssl, const TlsTrust& trust) {
  const auto digest = from_hex(trust.fingerprint);
  return digest && digest->size() == kFingerprint && SSL_CTX_dane_enable(context) == 1 &&
         SSL_dane_enable(ssl, nullptr) == 1 && SSL_dane_tlsa_add(ssl, 3, 0, 1, digest->data(), digest->size()) == 1;
}

bool insist(SSL* ssl, const TlsTrust& trust) {
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (!IpAddress::parse(trust.name)) return SSL_set1_host(ssl, trust.name.c_str()) == 1;
  return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), trust.name.c_str()) == 1;
}

// Kept for the life of the process; one that failed is tried again.
SSL_CTX* kept(Context& where, Context (*make)()) {
  if (!where) where = make();
  return where.get();
}

}  // namespace

struct Tls::Impl {
  Ssl ssl;
  BIO* in = nullptr;  // both are the library's
  BIO* out = nullptr;
  bool broken = false;
  std::optional<TlsTrust> trust;
  std::string why;

  void apply_trust();
  void tell_distrust();

  // What the library says of a step that did not go on.
  void judge(int result) {
    const int error = SSL_get_error(ssl.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) broken = true;
    if (broken && trust) tell_distrust();
    ERR_clear_error();
  }
  void shake() {
    if (broken || SSL_is_init_finished(ssl.get())) return;
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl.get());
    if (result != 1) judge(result);
  }
};

// Of this connection alone, so that a file of authorities that was changed counts at the next try.
void Tls::Impl::apply_trust() {
  auto* context = SSL_get_SSL_CTX(ssl.get());
  if (!trust->fingerprint.empty()) {
    broken = !pin(context, ssl.get(), *trust);
  } else {
    const bool found = trust->ca.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                         : SSL_CTX_load_verify_file(context, trust->ca.c_str()) == 1;
    if (!found) why = "no certificates of authorities in " + (trust->ca.empty() ? "this system" : trust->ca);
    broken = !found || !insist(ssl.get(), *trust);
  }
  SSL_set_verify(ssl.get(), SSL_VERIFY_PEER, nullptr);
  ERR_clear_error();
}

void Tls::Impl::tell_distrust() {
  const auto result = SSL_get_verify_result(ssl.get());
  if (result == X509_V_OK || !why.empty()) return;
  const bool pinned = !trust->fingerprint.empty();
  why = "the certificate of " + trust->name + " is not trusted: " +
        (pinned ? "it is another than the one that was pinned" : X509_verify_cert_error_string(result));
}

Tls::Tls(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tls::~Tls() = default;

static std::unique_ptr<SSL, Freer<SSL_free>> make_ssl(SSL_CTX* context, BIO*& in, BIO*& out) {
  Ssl ssl(context == nullptr ? nullptr : SSL_new(context));
  in = BIO_new(BIO_s_mem());
  out = BIO_new(BIO_s_mem());
  if (!ssl || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    return nullptr;
  }
  SSL_set_bio(ssl.get(), in, out);
  return ssl;
}

bool Tls::started() { return in_use(); }

std::unique_ptr<Tls> Tls::server() {
  static Context shared;
  auto impl = std::make_unique<Impl>();
  impl->ssl = make_ssl(kept(shared, server_context), impl->in, impl->out);
  if (!impl->ssl) return nullptr;
  SSL_set_accept_state(impl->ssl.get());
  return std::unique_ptr<Tls>(new Tls(std::move(impl)));
}

std::unique_ptr<Tls> Tls::client(const std::string& server_name, const TlsTrust* trust) {
  static Context shared;
  auto impl = std::make_unique<Impl>();
  const auto own = trust != nullptr ? client_context() : nullptr;  // the connection holds it
  impl->ssl = make_ssl(trust != nullptr ? own.get() : kept(shared, client_context), impl->in, impl->out);
  if (!impl->ssl) return nullptr;
  if (trust != nullptr) {
    impl->trust = *trust;
    impl->apply_trust();
  }
  if (!server_name.empty()) SSL_set_tlsext_host_name(impl->ssl.get(), server_name.c_str());
  SSL_set_connect_state(impl->ssl.get());
  impl->shake();
  return std::unique_ptr<Tls>(new Tls(std::move(impl)));
}

bool Tls::feed(ByteView sealed) {
  if (impl_->broken) return false;
  if (!sealed.empty() &&
      BIO_write(impl_->in, sealed.data(), static_cast<int>(sealed.size())) != static_cast<int>(sealed.size()))
    impl_->broken = true;
  impl_->shake();
  return !impl_->broken;
}

std::size_t Tls::read(MutableBytes into) {
  std::size_t got = 0;
  while (got < into.size() && !impl_->broken && ready()) {
    ERR_clear_error();
    const int n = SSL_read(impl_->ssl.get(), into.data() + got, static_cast<int>(into.size() - got));
    if (n <= 0) {
      impl_->judge(n);
      break;
    }
    got += static_cast<std::size_t>(n);
  }
  return got;
}

bool Tls::ready() const { return SSL_is_init_finished(impl_->ssl.get()) == 1; }

bool Tls::write(ByteView plain) {
  while (!plain.empty() && !impl_->broken && ready()) {
    ERR_clear_error();
    const int n = SSL_write(impl_->ssl.get(), plain.data(), static_cast<int>(plain.size()));
    if (n <= 0) {
      impl_->judge(n);
      return false;
    }
    plain = plain.subspan(static_cast<std::size_t>(n));
  }
  return plain.empty();
}

void Tls::take_output(Bytes& out) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(impl_->out, &data);
  if (size <= 0) return;
  append(out, ByteView(reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)));
  (void)BIO_reset(impl_->out);
}

std::string Tls::why() const { return impl_->why; }

std::optional<std::string> TlsTrust::parse_fingerprint(std::string_view text) {
  constexpr std::string_view kKind = "sha256:";
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (out.starts_with(kKind)) out.erase(0, kKind.size());
  std::erase(out, ':');
  const auto digest = from_hex(out);
  return digest && digest->size() == kFingerprint ? std::optional(std::move(out)) : std::nullopt;
}

bool Tls::over() const { return impl_->broken || (SSL_get_shutdown(impl_->ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

}  // namespace linnet::io
