// The TURN client of turnload.cpp: digests, addresses, options, STUN, one allocation.
#pragma once

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <random>
#include <sched.h>
#include <signal.h>
#include <string>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>
#ifdef TURNLOAD_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

using u8 = uint8_t; using u16 = uint16_t; using u32 = uint32_t; using u64 = uint64_t;
using Bytes = std::vector<u8>;

static void release_all();   // gives allocations back, so that a failed run does not eat the server's quota
[[noreturn]] static void die(const char* f, ...) {
  va_list ap; va_start(ap, f); fputs("turnload: ", stderr); vfprintf(stderr, f, ap); fputc('\n', stderr); fflush(stdout); release_all(); _exit(2);
}
static u64 now_ns() { timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return u64(t.tv_sec) * 1000000000ull + t.tv_nsec; }

// ------------------------------------------------------------------ MD5, SHA-1, HMAC (no libs)
static inline u32 rol(u32 x, int n) { return (x << n) | (x >> (32 - n)); }
static void pad_message(Bytes& m, bool big_endian_len) {
  u64 bits = u64(m.size()) * 8; m.push_back(0x80);
  while (m.size() % 64 != 56) m.push_back(0);
  for (int i = 0; i < 8; i++) m.push_back(u8(bits >> (big_endian_len ? 56 - 8 * i : 8 * i)));
}
static Bytes md5(Bytes m) {
  static const int R[64] = {7,12,17,22,7,12,17,22,7,12,17,22,7,12,17,22,5,9,14,20,5,9,14,20,5,9,14,20,5,9,14,20,
    4,11,16,23,4,11,16,23,4,11,16,23,4,11,16,23,6,10,15,21,6,10,15,21,6,10,15,21,6,10,15,21};
  u32 K[64]; for (int i = 0; i < 64; i++) K[i] = u32(std::floor(std::fabs(std::sin(i + 1.0)) * 4294967296.0));
  u32 h[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  pad_message(m, false);
  for (size_t o = 0; o < m.size(); o += 64) {
    u32 w[16]; for (int i = 0; i < 16; i++) w[i] = u32(m[o+4*i]) | u32(m[o+4*i+1]) << 8 | u32(m[o+4*i+2]) << 16 | u32(m[o+4*i+3]) << 24;
    u32 a = h[0], b = h[1], c = h[2], d = h[3];
    for (int i = 0; i < 64; i++) {
      u32 f; int g;
      if (i < 16) { f = (b & c) | (~b & d); g = i; }
      else if (i < 32) { f = (d & b) | (~d & c); g = (5 * i + 1) & 15; }
      else if (i < 48) { f = b ^ c ^ d; g = (3 * i + 5) & 15; }
      else { f = c ^ (b | ~d); g = (7 * i) & 15; }
      u32 t = d; d = c; c = b; b = b + rol(a + f + K[i] + w[g], R[i]); a = t;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d;
  }
  Bytes out; for (u32 v : h) for (int i = 0; i < 4; i++) out.push_back(u8(v >> (8 * i)));
  return out;
}
static Bytes sha1(Bytes m) {
  u32 h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  pad_message(m, true);
  for (size_t o = 0; o < m.size(); o += 64) {
    u32 w[80]; for (int i = 0; i < 16; i++) w[i] = u32(m[o+4*i]) << 24 | u32(m[o+4*i+1]) << 16 | u32(m[o+4*i+2]) << 8 | m[o+4*i+3];
    for (int i = 16; i < 80; i++) w[i] = rol(w[i-3] ^ w[i-8] ^ w[i-14] ^ w[i-16], 1);
    u32 a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++) {
      u32 f, k;
      if (i < 20) { f = (b & c) | (~b & d); k = 0x5A827999; }
      else if (i < 40) { f = b ^ c ^ d; k = 0x6ED9EBA1; }
      else if (i < 60) { f = (b & c) | (b & d) | (c & d); k = 0x8F1BBCDC; }
      else { f = b ^ c ^ d; k = 0xCA62C1D6; }
      u32 t = rol(a, 5) + f + e + k + w[i]; e = d; d = c; c = rol(b, 30); b = a; a = t;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e;
  }
  Bytes out; for (u32 v : h) for (int i = 3; i >= 0; i--) out.push_back(u8(v >> (8 * i)));
  return out;
}
static Bytes hmac_sha1(Bytes key, const u8* p, size_t n) {
  if (key.size() > 64) key = sha1(key);
  key.resize(64);
  Bytes in(64), out(64); for (int i = 0; i < 64; i++) { in[i] = key[i] ^ 0x36; out[i] = key[i] ^ 0x5c; }
  in.insert(in.end(), p, p + n); Bytes d = sha1(in); out.insert(out.end(), d.begin(), d.end());
  return sha1(out);
}

// ------------------------------------------------------------------ addresses
struct Addr {
  sockaddr_storage ss{}; socklen_t len = 0;
  int family() const { return ss.ss_family; }
  u16 port() const { return ntohs(family() == AF_INET6 ? ((sockaddr_in6*)&ss)->sin6_port : ((sockaddr_in*)&ss)->sin_port); }
  std::string str() const { char b[64]; char out[96];
    inet_ntop(family(), family() == AF_INET6 ? (void*)&((sockaddr_in6*)&ss)->sin6_addr : (void*)&((sockaddr_in*)&ss)->sin_addr, b, sizeof b);
    snprintf(out, sizeof out, family() == AF_INET6 ? "[%s]:%u" : "%s:%u", b, port()); return out; }
};
static Addr resolve(const std::string& host, const std::string& port) {
  addrinfo h{}, *r = nullptr; h.ai_socktype = SOCK_DGRAM; h.ai_flags = AI_NUMERICSERV;
  int e = getaddrinfo(host.c_str(), port.c_str(), &h, &r); if (e) die("%s: %s", host.c_str(), gai_strerror(e));
  Addr a; memcpy(&a.ss, r->ai_addr, r->ai_addrlen); a.len = r->ai_addrlen; freeaddrinfo(r); return a;
}
static Addr parse_hostport(const std::string& s, const char* defport) {
  if (!s.empty() && s[0] == '[') { auto e = s.find(']'); return resolve(s.substr(1, e - 1), e + 1 < s.size() ? s.substr(e + 2) : defport); }
  auto c = s.rfind(':'); return c == std::string::npos ? resolve(s, defport) : resolve(s.substr(0, c), s.substr(c + 1));
}
static Addr local_addr(int fd) { Addr a; a.len = sizeof a.ss; getsockname(fd, (sockaddr*)&a.ss, &a.len); return a; }

// ------------------------------------------------------------------ options
struct Opt {
  Addr server; bool have_server = false; std::string user = "u", pass = "p", peer_ip = "127.0.0.1", local_ip;
  std::string mode = "turn", transport = "udp", dir = "c2p";
  int allocs = 1, channels = 1, payload = 160, batch = 32, senders = 1, cpu = -1, server_cpu = -1;
  double rate = 0, duration = 5, warmup = 0.5, drain = 0.3, max_loss = 0.1;
  bool search = false, indication = false, gso = false, gro = false, json = false, quiet = false;
  std::vector<int> pids; double assert_pps = 0; int fwd_ports = 0, rx_poll = -1;
} O;

// ------------------------------------------------------------------ STUN codec
enum : u16 { M_ALLOCATE = 0x0003, M_REFRESH = 0x0004, M_SEND_IND = 0x0016, M_DATA_IND = 0x0017, M_CREATEPERM = 0x0008, M_CHANNELBIND = 0x0009 };
enum : u16 { A_USERNAME = 0x0006, A_MI = 0x0008, A_ERROR = 0x0009, A_CHANNEL = 0x000C, A_LIFETIME = 0x000D, A_XPEER = 0x0012, A_DATA = 0x0013,
  A_REALM = 0x0014, A_NONCE = 0x0015, A_XRELAYED = 0x0016, A_REQFAMILY = 0x0017, A_REQTRANSPORT = 0x0019, A_XMAPPED = 0x0020 };
static const u8 COOKIE[4] = {0x21, 0x12, 0xA4, 0x42};
struct Msg {
  Bytes b;
  explicit Msg(u16 type) { static thread_local std::mt19937_64 g{std::random_device{}()};
    b = {u8(type >> 8), u8(type), 0, 0}; b.insert(b.end(), COOKIE, COOKIE + 4); for (int i = 0; i < 12; i++) b.push_back(u8(g())); }
  void len() { size_t n = b.size() - 20; b[2] = u8(n >> 8); b[3] = u8(n); }
  void attr(u16 t, const void* p, size_t n) { b.push_back(u8(t >> 8)); b.push_back(u8(t)); b.push_back(u8(n >> 8)); b.push_back(u8(n));
    b.insert(b.end(), (const u8*)p, (const u8*)p + n); while (b.size() % 4) b.push_back(0); len(); }
  void attr(u16 t, const std::string& s) { attr(t, s.data(), s.size()); }
  void attr32(u16 t, u32 v) { u8 x[4] = {u8(v >> 24), u8(v >> 16), u8(v >> 8), u8(v)}; attr(t, x, 4); }
  void xaddr(u16 t, const Addr& a) {
    Bytes v = {0, u8(a.family() == AF_INET6 ? 2 : 1), u8((a.port() >> 8) ^ 0x21), u8(a.port() ^ 0x12)};
    if (a.family() == AF_INET6) { const u8* p = (const u8*)&((sockaddr_in6*)&a.ss)->sin6_addr; for (int i = 0; i < 16; i++) v.push_back(p[i] ^ b[4 + i]); }
    else { const u8* p = (const u8*)&((sockaddr_in*)&a.ss)->sin_addr; for (int i = 0; i < 4; i++) v.push_back(p[i] ^ COOKIE[i]); }
    attr(t, v.data(), v.size());
  }
  void integrity(const Bytes& key) { size_t n = b.size() - 20 + 24; b[2] = u8(n >> 8); b[3] = u8(n);
    Bytes h = hmac_sha1(key, b.data(), b.size()); attr(A_MI, h.data(), 20); }
};
static bool find_attr(const u8* m, size_t n, u16 t, const u8*& v, size_t& vl, size_t* at = nullptr) {
  for (size_t o = 20; o + 4 <= n;) { u16 a = u16(m[o] << 8 | m[o + 1]); size_t l = size_t(m[o + 2] << 8 | m[o + 3]);
    if (o + 4 + l > n) return false;
    if (a == t) { v = m + o + 4; vl = l; if (at) *at = o; return true; }
    o += 4 + ((l + 3) & ~size_t(3)); }
  return false;
}
static bool get_xaddr(const u8* m, size_t n, u16 t, Addr& a) {
  const u8* v; size_t l; if (!find_attr(m, n, t, v, l) || l < 8) return false;
  u16 port = u16((v[2] ^ 0x21) << 8 | (v[3] ^ 0x12));
  if (v[1] == 2 && l >= 20) { auto* s = (sockaddr_in6*)&a.ss; *s = {}; s->sin6_family = AF_INET6; s->sin6_port = htons(port);
    for (int i = 0; i < 16; i++) { ((u8*)&s->sin6_addr)[i] = v[4 + i] ^ m[4 + i]; }
    a.len = sizeof *s; }
  else { auto* s = (sockaddr_in*)&a.ss; *s = {}; s->sin_family = AF_INET; s->sin_port = htons(port);
    for (int i = 0; i < 4; i++) { ((u8*)&s->sin_addr)[i] = v[4 + i] ^ COOKIE[i]; }
    a.len = sizeof *s; }
  return true;
}
static bool check_integrity(const u8* m, size_t n, const Bytes& key) {
  const u8* v; size_t l, at; if (!find_attr(m, n, A_MI, v, l, &at) || l != 20) return false;
  Bytes c(m, m + at); size_t L = at - 20 + 24; c[2] = u8(L >> 8); c[3] = u8(L);
  return !memcmp(hmac_sha1(key, c.data(), c.size()).data(), v, 20);
}

// ------------------------------------------------------------------ one allocation (client side)
static int udp_socket(int family) {
  int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0); if (fd < 0) die("socket: %s", strerror(errno));
  int b = 16 << 20; if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &b, sizeof b)) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &b, sizeof b);
  b = 4 << 20; if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &b, sizeof b)) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &b, sizeof b);
  return fd;
}
static u32 sock_drops(int fd) { u32 mi[9] = {}; socklen_t l = sizeof mi; if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mi, &l)) return 0; return mi[8]; }

struct Client {
  int fd = -1; Addr relayed{}, mapped{}; std::string realm, nonce; Bytes key; Bytes in; // in: TCP reassembly
  std::vector<Bytes> prefix;    // per channel: the bytes before the payload
  int tail = 0;                 // padding bytes after the payload (TCP framing, indications)
#ifdef TURNLOAD_TLS
  SSL* ssl = nullptr;
  std::mutex tls;               // a sender and a receiver share the SSL object, which is nobody's while the socket is waited for
#endif
  bool stream() const { return O.transport != "udp"; }

  void open_socket() {
    if (!stream()) { fd = udp_socket(O.server.family()); }
    else { fd = socket(O.server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0); int one = 1; setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      int b = 128 << 10; setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &b, sizeof b); }  // a sender that is too fast waits, and its backlog does not outlive the run
    if (!O.local_ip.empty()) { Addr l = resolve(O.local_ip, "0"); if (bind(fd, (sockaddr*)&l.ss, l.len)) die("bind %s: %s", O.local_ip.c_str(), strerror(errno)); }
    if (connect(fd, (sockaddr*)&O.server.ss, O.server.len)) die("connect %s: %s", O.server.str().c_str(), strerror(errno));
#ifdef TURNLOAD_TLS
    if (O.transport == "tls") { static SSL_CTX* ctx = SSL_CTX_new(TLS_client_method()); ssl = SSL_new(ctx); SSL_set_fd(ssl, fd);
      SSL_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
      if (SSL_connect(ssl) != 1) { ERR_print_errors_fp(stderr); die("TLS handshake failed"); }
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }
#endif
  }
  ssize_t raw_read(u8* p, size_t n) {
#ifdef TURNLOAD_TLS
    if (ssl) { std::lock_guard<std::mutex> hold(tls); ERR_clear_error(); int r = SSL_read(ssl, p, int(n)); if (r > 0) return r;
      int e = SSL_get_error(ssl, r); return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? (errno = EAGAIN, -1) : 0; }
#endif
    return recv(fd, p, n, 0);
  }
  bool raw_write_all(const u8* p, size_t n) {
#ifdef TURNLOAD_TLS
    while (ssl) {  // whole or not yet: the same bytes are offered again
      int e; { std::lock_guard<std::mutex> hold(tls); ERR_clear_error(); int r = SSL_write(ssl, p, int(n)); if (r == int(n)) return true; e = SSL_get_error(ssl, r); }
      if (e != SSL_ERROR_WANT_WRITE && e != SSL_ERROR_WANT_READ) return false;
      pollfd f{fd, short(e == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN), 0}; if (poll(&f, 1, 30000) <= 0) return false;
    }
#endif
    while (n) { ssize_t r = ::send(fd, p, n, MSG_NOSIGNAL); if (r < 0) { if (errno == EINTR) continue; return false; } p += r; n -= size_t(r); }
    return true;
  }
  bool readable(int ms) {
#ifdef TURNLOAD_TLS
    if (ssl) { std::lock_guard<std::mutex> hold(tls); if (SSL_pending(ssl) > 0) return true; }
#endif
    pollfd p{fd, POLLIN, 0}; return poll(&p, 1, ms) > 0;
  }
  // Takes one whole frame (STUN or ChannelData, with TCP padding) off the stream buffer.
  bool next_frame(Bytes& out) {
    if (in.size() < 4) return false;
    size_t l = size_t(in[2] << 8 | in[3]), n = (in[0] & 0xC0) ? 4 + ((l + 3) & ~size_t(3)) : 20 + l;
    if (in.size() < n) return false;
    out.assign(in.begin(), in.begin() + n); in.erase(in.begin(), in.begin() + n); return true;
  }
  // Sends a request, retransmits over UDP, waits for the answer with this transaction id.
  bool transact(const Msg& m, Bytes& resp) {
    int tries = stream() ? 1 : 7, rto = 200;
    for (int t = 0; t < tries; t++, rto = std::min(rto * 2, 1600)) {
      if (!raw_write_all(m.b.data(), m.b.size())) { if (errno == ECONNREFUSED) { usleep(100000); continue; } return false; }
      u64 end = now_ns() + u64(stream() ? 5000 : rto) * 1000000ull;
      for (;;) {
        Bytes f;
        if (stream() && next_frame(f)) {}
        else {
          i64ms: long left = long((int64_t(end) - int64_t(now_ns())) / 1000000); if (left <= 0) break;
          if (!readable(int(left))) break;
          u8 buf[65536]; ssize_t r = raw_read(buf, sizeof buf);
          if (r < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED)) { if (errno == ECONNREFUSED) usleep(50000); goto i64ms; }
          if (r <= 0) return false;
          if (stream()) { in.insert(in.end(), buf, buf + r); continue; }
          f.assign(buf, buf + r);
        }
        if (f.size() >= 20 && !(f[0] & 0xC0) && !memcmp(&f[4], &m.b[4], 16)) { resp = f; return true; }
      }
    }
    return false;
  }
  // An authenticated request: first bare, then with credentials; 438 Stale Nonce is retried.
  template <class F> Bytes request(u16 type, const char* what, F fill) {
    for (int round = 0; round < 4; round++) {
      Msg m(type); fill(m);
      if (!realm.empty()) { m.attr(A_USERNAME, O.user); m.attr(A_REALM, realm); m.attr(A_NONCE, nonce); m.integrity(key); }
      Bytes r; if (!transact(m, r)) die("%s: no answer from %s over %s", what, O.server.str().c_str(), O.transport.c_str());
      u16 cls = u16((r[0] << 8 | r[1]) & 0x0110);
      if (cls == 0x0100) {
        if (!key.empty() && !realm.empty() && !check_integrity(r.data(), r.size(), key)) fprintf(stderr, "turnload: warning: %s success without a valid MESSAGE-INTEGRITY\n", what);
        return r;
      }
      const u8* v; size_t l; int code = 0; std::string reason;
      if (find_attr(r.data(), r.size(), A_ERROR, v, l) && l >= 4) { code = (v[2] & 7) * 100 + v[3]; reason.assign((const char*)v + 4, l - 4); }
      bool had = !realm.empty();
      if ((code == 401 && !had) || code == 438) {
        if (find_attr(r.data(), r.size(), A_REALM, v, l)) realm.assign((const char*)v, l);
        if (find_attr(r.data(), r.size(), A_NONCE, v, l)) nonce.assign((const char*)v, l);
        if (realm.empty() || nonce.empty()) die("%s: %d without REALM/NONCE", what, code);
        std::string s = O.user + ":" + realm + ":" + O.pass; key = md5(Bytes(s.begin(), s.end()));
        continue;
      }
      die("%s: error %d %s", what, code, reason.c_str());
    }
    die("%s: too many challenges", what);
  }
  void allocate() {
    Bytes r = request(M_ALLOCATE, "Allocate", [](Msg& m) { m.attr32(A_REQTRANSPORT, 17u << 24); m.attr32(A_LIFETIME, 600);
      if (O.peer_ip.find(':') != std::string::npos) m.attr32(A_REQFAMILY, 2u << 24); });
    if (!get_xaddr(r.data(), r.size(), A_XRELAYED, relayed)) die("Allocate success without XOR-RELAYED-ADDRESS");
    if (!get_xaddr(r.data(), r.size(), A_XMAPPED, mapped)) fprintf(stderr, "turnload: warning: Allocate success without XOR-MAPPED-ADDRESS\n");
    else { Addr l = local_addr(fd); if (O.mode == "turn" && l.str() != mapped.str() && !O.quiet) fprintf(stderr, "turnload: note: mapped %s, local %s (NAT on the way)\n", mapped.str().c_str(), l.str().c_str()); }
  }
  void bind_channel(int k, const Addr& peer) {
    request(M_CHANNELBIND, "ChannelBind", [&](Msg& m) { m.attr32(A_CHANNEL, u32(0x4000 + k) << 16); m.xaddr(A_XPEER, peer); });
  }
  // udpfwd in mode sessions gives a relayed port for one byte 0, and takes it back for one byte 1.
  void ask_forwarder() {
    for (int tries = 0; tries < 20; tries++) { const u8 hello = 0; raw_write_all(&hello, 1); if (!readable(100)) continue;
      u8 port[2]; if (recv(fd, port, sizeof port, 0) != 2) continue;
      relayed = O.server; ((sockaddr_in*)&relayed.ss)->sin_port = u16(port[0] | port[1] << 8); return; }
    die("the forwarder gives no port; is it in mode sessions?");
  }
  void permit(const Addr& peer) { request(M_CREATEPERM, "CreatePermission", [&](Msg& m) { m.xaddr(A_XPEER, peer); }); }
  void make_prefix(int k, const Addr& peer) {
    Bytes p; int P = O.payload;
    if (O.mode == "direct") { tail = 0; }
    else if (O.indication) { Msg m(M_SEND_IND); m.xaddr(A_XPEER, peer); p = m.b; p.push_back(0x00); p.push_back(0x13); p.push_back(u8(P >> 8)); p.push_back(u8(P));
      tail = (4 - P % 4) % 4; size_t L = p.size() - 20 + P + tail; p[2] = u8(L >> 8); p[3] = u8(L); }
    else { u16 c = u16(0x4000 + k); p = {u8(c >> 8), u8(c), u8(P >> 8), u8(P)}; tail = stream() ? (4 - P % 4) % 4 : 0; }
    if (int(prefix.size()) <= k) prefix.resize(k + 1);
    prefix[k] = p;
  }
  void refresh(u32 life) { request(M_REFRESH, "Refresh", [&](Msg& m) { m.attr32(A_LIFETIME, life); }); }
};

