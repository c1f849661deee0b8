// turnload.cpp - load generator and meter for a TURN relay (RFC 8656 / RFC 8489).
//
// It is a client, a peer and a meter in ONE process, so that sent and received
// packets are counted exactly and one-way latency needs no clock sync:
//
//     [client sockets] --ChannelData--> [ TURN server ] --UDP--> [peer sockets]     (c2p)
//     [client sockets] <--ChannelData-- [ TURN server ] <--UDP-- [peer sockets]     (p2c)
//
// Per allocation: Allocate (401 -> long-term credentials, MESSAGE-INTEGRITY HMAC-SHA1),
// ChannelBind (or CreatePermission with --indication) to each peer socket, then traffic,
// then Refresh(lifetime 0).  Printed: offered and delivered pps, loss %, Mbit/s of payload,
// one-way latency p50/p99/max, and - with --pid - the server's CPU: seconds per million
// DELIVERED packets (from /proc/PID/stat; and the finer /proc/PID/task/*/schedstat).
//
// Build:   g++ -O2 -std=c++17 -pthread turnload.cpp -o turnload
//   TLS:   g++ -O2 -std=c++17 -pthread -DTURNLOAD_TLS turnload.cpp -o turnload -lssl -lcrypto
// Example: taskset -c 0 turnserver ... &  ./turnload -s 127.0.0.1:3478 -u u -w p --pid $! --cpu 1 --search
//
// Other modes (to get the yardsticks with the same traffic and the same counting):
//   --mode raw     no TURN handshake: ChannelData straight to a bare forwarder (see udpfwd.cpp); from peers to clients
//                  too where it runs in mode sessions
//   --mode direct  client sends to the peer socket itself: the generator's own ceiling
//
// Loss is counted over a whole run (sent vs arrived with the run's id, after a drain pause).
// "own drops" = packets lost in OUR receive sockets (SO_MEMINFO); if it is not ~0, the meter,
// not the relay, was the bottleneck.  "sender-limited" = we could not send at the asked rate.
#include "turnload_client.h"

// ------------------------------------------------------------------ payload header and meters
struct __attribute__((packed)) Head { u32 magic; u32 run; u64 seq; u64 ts; };   // 24 bytes, host order
static const u32 MAGIC = 0x31444c54;
struct Hist {  // log-linear: 32 steps for each power of two of nanoseconds
  std::vector<u64> c = std::vector<u64>(64 * 32); u64 n = 0, mx = 0;
  void add(u64 v) { n++; mx = std::max(mx, v); int e = v < 32 ? 0 : 63 - __builtin_clzll(v) - 5; size_t i = e == 0 ? v : size_t(e) * 32 + (v >> e) ; c[std::min(i, c.size() - 1)]++; }
  void merge(const Hist& o) { for (size_t i = 0; i < c.size(); i++) c[i] += o.c[i]; n += o.n; mx = std::max(mx, o.mx); }
  double us(double q) const { u64 want = u64(q * double(n)), s = 0; for (size_t i = 0; i < c.size(); i++) { s += c[i]; if (s > want) { u64 e = i < 32 ? 0 : i / 32 - 1;  // index i = e*32 + (v>>e), with v>>e in [32,63]
      return double((i - e * 32) << e) / 1e3; } } return double(mx) / 1e3; }
};
static std::atomic<u32> g_run{0};             // current run id; 0 = ignore everything
static std::atomic<bool> g_stop_rx{false};
struct alignas(64) RxStat { std::atomic<u64> pkts{0}, late{0}, reorder{0}, bad{0}; std::atomic<u64> first{0}, last{0}; u64 maxseq = 0; u32 run = 0; Hist h; std::mutex mu; };

struct Rx {  // one receiver thread over many fds
  std::vector<int> fds; std::vector<Client*> owner; bool client_side = false; RxStat st; std::thread th;
  void payload(const u8* p, size_t n, u64 t, u32 run) {
    if (n != size_t(O.payload)) { st.bad++; return; }
    Head h; memcpy(&h, p, sizeof h); if (h.magic != MAGIC) { st.bad++; return; }
    if (h.run != run) { st.late++; return; }
    if (st.run != run) { st.run = run; st.maxseq = 0; }
    u64 seq = h.seq & 0xffffffffffffull; if (seq < st.maxseq) st.reorder.fetch_add(1, std::memory_order_relaxed); else st.maxseq = seq;
    st.pkts.store(st.pkts.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (!st.first.load(std::memory_order_relaxed)) { st.first = t; }
    st.last.store(t, std::memory_order_relaxed);
    if ((h.seq & 15) == 0) st.h.add(t > h.ts ? t - h.ts : 0);   // sample 1 of 16
  }
  void frame(const u8* p, size_t n, u64 t, u32 run) {
    if (!client_side || O.mode == "direct") { payload(p, n, t, run); return; }
    if (n >= 4 && (p[0] & 0xC0) == 0x40) { size_t l = size_t(p[2] << 8 | p[3]); if (4 + l <= n) payload(p + 4, l, t, run); else st.bad++; return; }
    const u8* v; size_t l; if (n >= 20 && p[0] == 0 && p[1] == 0x17) { if (find_attr(p, n, A_DATA, v, l)) payload(v, l, t, run); else st.bad++; }
  }
  void loop() {
    const int V = 64; const size_t SZ = O.gro ? 65536 : 2048; Bytes store(V * SZ); std::vector<mmsghdr> mm(V); std::vector<iovec> io(V);
    struct alignas(8) Ctl { char c[64]; }; std::vector<Ctl> ctl(V);
    prctl(PR_SET_TIMERSLACK, 1UL);
    int ep = epoll_create1(0); for (size_t i = 0; i < fds.size(); i++) { epoll_event e{}; e.events = EPOLLIN; e.data.u64 = i; epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e); }
    epoll_event ev[256];
    // Polled mode: nobody sleeps ON the socket, so the server's send does not pay for waking us
    // (a wake-up is a large part of a loopback send, and a real relay sends to a NIC instead).
    bool streams = client_side && owner[0]->stream();
    int poll_us = streams ? 0 : O.rx_poll >= 0 ? O.rx_poll : fds.size() <= 256 ? 200 : 0;
    if (poll_us) for (int fd : fds) epoll_ctl(ep, EPOLL_CTL_DEL, fd, nullptr);
    while (!g_stop_rx) {
      int k = poll_us ? int(fds.size()) : epoll_wait(ep, ev, 256, 50); bool any = false;
      for (int q = 0; q < k; q++) {
        size_t i = poll_us ? size_t(q) : ev[q].data.u64;
        if (client_side && owner[i]->stream()) {
          u8 buf[65536]; ssize_t r = owner[i]->raw_read(buf, sizeof buf); if (r <= 0) { if (r == 0 || errno != EAGAIN) epoll_ctl(ep, EPOLL_CTL_DEL, fds[i], nullptr); continue; }
          Bytes& in = owner[i]->in; in.insert(in.end(), buf, buf + r); size_t o = 0; u64 t = now_ns(); u32 run = g_run;
          while (in.size() - o >= 4) { size_t l = size_t(in[o + 2] << 8 | in[o + 3]), n = (in[o] & 0xC0) ? 4 + ((l + 3) & ~size_t(3)) : 20 + l; if (in.size() - o < n) break; frame(&in[o], n, t, run); o += n; }
          in.erase(in.begin(), in.begin() + o); continue;
        }
        for (int rounds = 0; rounds < 4; rounds++) {
          for (int j = 0; j < V; j++) { io[j] = {&store[size_t(j) * SZ], SZ}; mm[j].msg_hdr = {}; mm[j].msg_hdr.msg_iov = &io[j]; mm[j].msg_hdr.msg_iovlen = 1; if (O.gro) { mm[j].msg_hdr.msg_control = ctl[j].c; mm[j].msg_hdr.msg_controllen = sizeof ctl[j].c; } }
          int n = recvmmsg(fds[i], mm.data(), V, MSG_DONTWAIT, nullptr); if (n <= 0) break; any = true;
          u64 t = now_ns(); u32 run = g_run.load(std::memory_order_relaxed);
          for (int j = 0; j < n; j++) {
            size_t len = mm[j].msg_len, seg = len;
            if (O.gro) for (cmsghdr* c = CMSG_FIRSTHDR(&mm[j].msg_hdr); c; c = CMSG_NXTHDR(&mm[j].msg_hdr, c)) if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) { int s; memcpy(&s, CMSG_DATA(c), sizeof s); if (s > 0) seg = size_t(s); }
            for (size_t o = 0; o < len; o += seg) frame(&store[size_t(j) * SZ] + o, std::min(seg, len - o), t, run);
            if (len == 0) st.bad++;
          }
          if (n < V) break;
        }
      }
      if (poll_us && !any) { timespec ts{0, poll_us * 1000L}; nanosleep(&ts, nullptr); }
    }
    close(ep);
  }
};

struct Peer { int fd; Addr addr; };
static std::vector<std::unique_ptr<Client>> C; static std::vector<Peer> P; static std::vector<std::unique_ptr<Rx>> R;

static void release_all() {
  static bool once = false; if (once || O.mode == "direct") return;
  once = true;
  if (O.mode == "raw") { for (auto& c : C) { const u8 bye = 1; if (c->relayed.len) c->raw_write_all(&bye, 1); } return; }
  for (auto& c : C) { if (c->relayed.len == 0) continue;
    Msg m(M_REFRESH); m.attr32(A_LIFETIME, 0);
    if (!c->realm.empty()) { m.attr(A_USERNAME, O.user); m.attr(A_REALM, c->realm); m.attr(A_NONCE, c->nonce); m.integrity(c->key); }
    c->raw_write_all(m.b.data(), m.b.size()); }
}
static void on_signal(int) { signal(SIGALRM, SIG_DFL); alarm(2); release_all(); _exit(130); }  // best effort: a sender may hold what this waits for

// Sender: batches round-robin over the allocations (c2p) or over peer x allocation (p2c).
struct TxStat { u64 sent = 0, err = 0; u64 t0 = 0, t1 = 0; };
static void sender(int id, int nsend, bool c2p, double rate, double secs, u32 run, TxStat* out) {
  prctl(PR_SET_TIMERSLACK, 1UL);
  const int B = O.batch; bool ind = c2p && O.indication && O.mode != "direct"; (void)ind;
  size_t pre = 0; int tail = 0; if (c2p) { pre = C[0]->prefix[0].size(); tail = C[0]->tail; }
  const size_t L = pre + size_t(O.payload) + size_t(tail); Bytes buf(size_t(B) * L, 0x55);
  std::vector<mmsghdr> mm(B); std::vector<iovec> io(B);
  for (int j = 0; j < B; j++) { io[j] = {&buf[size_t(j) * L], L}; mm[j].msg_hdr = {}; mm[j].msg_hdr.msg_iov = &io[j]; mm[j].msg_hdr.msg_iovlen = 1; }
  char ctl[CMSG_SPACE(sizeof(u16))] = {}; u64 seq = 0, who = u64(id), ch = 0; u64 t0 = now_ns(), tend = t0 + u64(secs * 1e9); out->t0 = t0;
  double mine = rate / nsend; bool stream = C.size() && C[0]->stream() && c2p && O.mode == "turn";
  for (;;) {
    u64 t = now_ns(); if (t >= tend) break;
    int want = B;
    if (mine > 0) {
      double due = double(t - t0) * 1e-9 * mine - double(seq); // packets we are behind by
      if (due < 1) { u64 w = u64((1 - due) / mine * 1e9); w = std::max<u64>(w, 20000); w = std::min<u64>(w, 1000000); timespec ts{0, long(w)}; nanosleep(&ts, nullptr); continue; }
      want = int(std::min<double>(due, B));
    }
    size_t a = c2p ? who % C.size() : who % C.size(), pk = c2p ? 0 : (who / C.size()) % P.size();
    who += u64(nsend);
    for (int j = 0; j < want; j++) {
      u8* m = &buf[size_t(j) * L];
      if (c2p && pre) { memcpy(m, C[a]->prefix[ch % size_t(O.channels)].data(), pre); ch++; }
      Head h{MAGIC, run, (u64(id) << 48) | (seq + u64(j)), t}; memcpy(m + pre, &h, sizeof h);
    }
    int ok = 0;
    if (stream) { ok = C[a]->raw_write_all(buf.data(), size_t(want) * L) ? want : 0; if (!ok) { out->err++; break; } }
    else {
      int fd = c2p ? C[a]->fd : P[pk].fd; Addr* to = nullptr;
      if (!c2p) to = &C[a]->relayed;
      if (O.mode == "direct") { to = &P[ch++ % P.size()].addr; }
      if (O.gso && want > 1) {
        size_t maxseg = std::min<size_t>(size_t(want), std::min<size_t>(64, 65000 / L)); size_t done = 0;
        while (done < size_t(want)) { size_t n = std::min(maxseg, size_t(want) - done); iovec v{&buf[done * L], n * L}; msghdr h{}; h.msg_iov = &v; h.msg_iovlen = 1;
          if (to) { h.msg_name = &to->ss; h.msg_namelen = to->len; }
          if (n > 1) { h.msg_control = ctl; h.msg_controllen = sizeof ctl; cmsghdr* c = CMSG_FIRSTHDR(&h); c->cmsg_level = SOL_UDP; c->cmsg_type = UDP_SEGMENT; c->cmsg_len = CMSG_LEN(sizeof(u16)); u16 s = u16(L); memcpy(CMSG_DATA(c), &s, 2); }
          if (sendmsg(fd, &h, MSG_NOSIGNAL) < 0) { out->err++; break; } done += n; }
        ok = int(done);
      } else {
        for (int j = 0; j < want; j++) { mm[j].msg_hdr.msg_name = to ? (void*)&to->ss : nullptr; mm[j].msg_hdr.msg_namelen = to ? to->len : 0; }
        ok = sendmmsg(fd, mm.data(), unsigned(want), MSG_NOSIGNAL); if (ok < 0) { ok = 0; out->err++; }
      }
    }
    seq += u64(ok); if (!ok) { timespec ts{0, 50000}; nanosleep(&ts, nullptr); if (mine <= 0) continue; }
  }
  out->t1 = now_ns(); out->sent = seq;
}

// ------------------------------------------------------------------ CPU meters
struct Cpu { double stat = 0, sched = 0, core = 0, self = 0; };
static Cpu cpu_now() {
  Cpu c; double hz = double(sysconf(_SC_CLK_TCK));
  for (int pid : O.pids) {
    char path[300]; snprintf(path, sizeof path, "/proc/%d/stat", pid); FILE* f = fopen(path, "r"); if (!f) die("no process %d", pid);
    char line[2048]; if (fgets(line, sizeof line, f)) { char* p = strrchr(line, ')'); unsigned long ut = 0, st = 0; if (p && sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ut, &st) == 2) c.stat += double(ut + st) / hz; } fclose(f);
    snprintf(path, sizeof path, "/proc/%d/task", pid); if (DIR* d = opendir(path)) { while (dirent* e = readdir(d)) { if (e->d_name[0] == '.') continue; char q[600]; snprintf(q, sizeof q, "/proc/%d/task/%.32s/schedstat", pid, e->d_name);
      if (FILE* g = fopen(q, "r")) { unsigned long long ns = 0; if (fscanf(g, "%llu", &ns) == 1) c.sched += double(ns) / 1e9; fclose(g); } } closedir(d); }
  }
  if (O.server_cpu >= 0) { FILE* f = fopen("/proc/stat", "r"); char line[512]; char want[32]; snprintf(want, sizeof want, "cpu%d ", O.server_cpu);
    while (f && fgets(line, sizeof line, f)) if (!strncmp(line, want, strlen(want))) { unsigned long long v[8] = {}; sscanf(line + strlen(want), "%llu %llu %llu %llu %llu %llu %llu %llu", v, v+1, v+2, v+3, v+4, v+5, v+6, v+7); c.core = double(v[0] + v[1] + v[2] + v[5] + v[6]) / hz; }
    if (f) { fclose(f); } }
  rusage r; getrusage(RUSAGE_SELF, &r); c.self = double(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + double(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
  return c;
}

struct Result { double offered = 0, asked = 0, pps = 0, loss = 0, secs = 0, p50 = 0, p99 = 0, mx = 0, cpu_stat = 0, cpu_sched = 0, cpu_core = 0, self = 0, wall = 1; u64 sent = 0, recv = 0, own_drops = 0, reorder = 0, bad = 0, err = 0; bool limited = false; };
static void reset_rx() { for (auto& r : R) { r->st.pkts = 0; r->st.late = 0; r->st.reorder = 0; r->st.bad = 0; r->st.first = 0; r->st.last = 0; r->st.h = Hist(); } }
static u64 all_drops() { u64 d = 0; for (auto& p : P) d += sock_drops(p.fd); for (auto& c : C) if (c->fd >= 0 && !c->stream()) d += sock_drops(c->fd); return d; }

static Result run_once(double rate, double secs) {
  static u32 id = 0; u32 run = ++id; g_run = 0; usleep(20000); reset_rx(); g_run = run;
  u64 d0 = all_drops(); Cpu c0 = cpu_now(); u64 w0 = now_ns();
  bool both = O.dir == "both"; int n = O.senders; std::vector<TxStat> tx(size_t(n) * (both ? 2 : 1)); std::vector<std::thread> th;
  for (int i = 0; i < n; i++) {
    if (both || O.dir == "c2p") th.emplace_back(sender, i, n, true, both ? rate / 2 : rate, secs, run, &tx[size_t(i)]);
    if (both || O.dir == "p2c") th.emplace_back(sender, i + (both ? n : 0), n, false, both ? rate / 2 : rate, secs, run, &tx[size_t(both ? n + i : i)]);
  }
  for (auto& t : th) t.join();
  // drain: wait until nothing new arrives for --drain seconds (the server may hold a backlog)
  auto total = [] { u64 s = 0; for (auto& r : R) s += r->st.pkts; return s; };
  u64 last = total(); for (int i = 0; i < 50; i++) { usleep(useconds_t(O.drain * 1e6)); u64 x = total(); if (x == last) break; last = x; }
  Cpu c1 = cpu_now(); u64 w1 = now_ns(); g_run = 0; usleep(60000);
  Result r; r.wall = double(w1 - w0) / 1e9; r.asked = rate; u64 t0 = ~0ull, t1 = 0, f = ~0ull, l = 0; Hist h;
  for (auto& t : tx) { r.sent += t.sent; r.err += t.err; t0 = std::min(t0, t.t0); t1 = std::max(t1, t.t1); }
  for (auto& x : R) { r.recv += x->st.pkts; r.reorder += x->st.reorder; r.bad += x->st.bad; if (x->st.first) f = std::min<u64>(f, x->st.first); l = std::max<u64>(l, x->st.last); h.merge(x->st.h); }
  r.secs = double(t1 - t0) / 1e9; double rs = l > f ? double(l - f) / 1e9 : r.secs; r.offered = double(r.sent) / r.secs; r.pps = double(r.recv) / std::max(rs, r.secs * 0.5);
  r.loss = r.sent ? 100.0 * (double(r.sent) - double(r.recv)) / double(r.sent) : 0; r.p50 = h.us(.5); r.p99 = h.us(.99); r.mx = double(h.mx) / 1e3;
  r.cpu_stat = c1.stat - c0.stat; r.cpu_sched = c1.sched - c0.sched; r.cpu_core = c1.core - c0.core; r.self = c1.self - c0.self; r.own_drops = all_drops() - d0;
  r.limited = rate > 0 && r.offered < rate * 0.98; return r;
}
static void print(const char* tag, const Result& r) {
  double M = double(r.recv) / 1e6, best = r.cpu_sched > 0 ? r.cpu_sched : r.cpu_stat;
  if (O.json) printf("{\"tag\":\"%s\",\"mode\":\"%s\",\"transport\":\"%s\",\"dir\":\"%s\",\"payload\":%d,\"allocs\":%d,\"channels\":%d,\"indication\":%d,\"asked_pps\":%.0f,\"offered_pps\":%.0f,\"delivered_pps\":%.0f,\"payload_mbit_s\":%.2f,\"loss_pct\":%.4f,\"sent\":%llu,\"received\":%llu,\"own_drops\":%llu,\"reordered\":%llu,\"bad\":%llu,\"send_errors\":%llu,\"lat_us_p50\":%.1f,\"lat_us_p99\":%.1f,\"lat_us_max\":%.1f,\"server_cpu_s_stat\":%.3f,\"server_cpu_s_sched\":%.4f,\"server_cpu_s_per_mpkt\":%.4f,\"server_core_busy_s\":%.3f,\"gen_cpu_s\":%.3f,\"sender_limited\":%d}\n",
    tag, O.mode.c_str(), O.transport.c_str(), O.dir.c_str(), O.payload, O.allocs, O.channels, O.indication, r.asked, r.offered, r.pps, r.pps * O.payload * 8 / 1e6, r.loss, (unsigned long long)r.sent, (unsigned long long)r.recv, (unsigned long long)r.own_drops, (unsigned long long)r.reorder, (unsigned long long)r.bad, (unsigned long long)r.err, r.p50, r.p99, r.mx, r.cpu_stat, r.cpu_sched, M > 0 ? best / M : 0, r.cpu_core, r.self, r.limited);
  else {
    printf("%-9s offered %8.0f pps  delivered %8.0f pps  %7.1f Mbit/s  loss %7.3f%%  lat us p50 %.0f p99 %.0f", tag, r.offered, r.pps, r.pps * O.payload * 8 / 1e6, r.loss, r.p50, r.p99);
    if (!O.pids.empty() && M > 0) printf("  server %.2f cpu-s/Mpkt (%.0f%% of a core, %.0f pps/core)", best / M, 100 * best / r.secs, best > 0 ? double(r.recv) / best : 0);
    if (O.server_cpu >= 0) printf("  core%d busy %.0f%%", O.server_cpu, 100 * r.cpu_core / r.wall);
    if (r.own_drops) printf("  OWN DROPS %llu", (unsigned long long)r.own_drops);
    if (r.bad) printf("  bad %llu", (unsigned long long)r.bad);
    if (r.err) printf("  send-errors %llu", (unsigned long long)r.err);
    if (r.reorder && O.allocs * O.channels * O.senders == 1) printf("  reordered %llu", (unsigned long long)r.reorder);
    if (r.limited) printf("  SENDER-LIMITED");
    printf("\n");
  }
  fflush(stdout);
}

static void usage() {
  puts("turnload -s HOST:PORT [-u USER -w PASS] [options]\n"
    "  --mode turn|raw|direct   (raw: bare forwarder, see udpfwd.cpp; direct: own ceiling)\n"
    "  --transport udp|tcp|tls  client-to-server transport (tls only when built with -DTURNLOAD_TLS)\n"
    "  --dir c2p|p2c|both       client->peer (default), peer->client, both\n"
    "  --allocs N --channels M  N allocations, each with M channels to M peer sockets (1,1)\n"
    "  --indication             Send/Data indications in place of channels\n"
    "  --payload BYTES          160 (>=24)      --batch N  32 (packets per sendmmsg/burst)\n"
    "  --rate PPS               0 = as fast as possible    --duration S 5   --warmup S 0.5\n"
    "  --search                 find the highest rate with loss <= --max-loss PCT (0.1), from --rate on (4000)\n"
    "  --gso                    send bursts with UDP_SEGMENT (cheaper generator)  --gro  receive with UDP_GRO\n"
    "  --senders N              sender threads (1)\n"
    "  --rx-poll US             look at our receive sockets every US microseconds (default 200); 0 = epoll\n"
    "                           (use 0 to measure latency; polling keeps wake-up cost out of the server's CPU)\n"
    "  --pid PID                server process, may repeat   --cpu N  pin us to core N  --server-cpu N  also read /proc/stat of core N\n"
    "  --peer-ip IP             127.0.0.1 (the server must allow it: coturn needs --allow-loopback-peers)\n"
    "  --peer-ports BASE        bind peer sockets to BASE, BASE+1, ... (default: ephemeral; raw mode needs it)\n"
    "  --local-ip IP            client sockets' source address\n"
    "  --json --quiet --assert-pps N (exit 1 if the final delivered pps is below N)\n"
    "exit: 0 fine, 1 assertion failed, 2 setup/protocol error"); exit(2);
}
int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN); signal(SIGINT, on_signal); signal(SIGTERM, on_signal);
  enum { MODE = 1000, TRANS, DIR_, ALLOCS, CHANS, IND, PAY, BATCH, RATE, DUR, WARM, SEARCH, LOSS, GSO, GRO, SEND, PID, CPU, SCPU, PEER, PPORT, LIP, JSON, QUIET, APPS, RXP };
  option lo[] = {{"mode",1,0,MODE},{"transport",1,0,TRANS},{"dir",1,0,DIR_},{"allocs",1,0,ALLOCS},{"channels",1,0,CHANS},{"indication",0,0,IND},{"payload",1,0,PAY},{"batch",1,0,BATCH},{"rate",1,0,RATE},{"duration",1,0,DUR},{"warmup",1,0,WARM},{"search",0,0,SEARCH},{"max-loss",1,0,LOSS},{"gso",0,0,GSO},{"gro",0,0,GRO},{"senders",1,0,SEND},{"pid",1,0,PID},{"cpu",1,0,CPU},{"server-cpu",1,0,SCPU},{"peer-ip",1,0,PEER},{"peer-ports",1,0,PPORT},{"local-ip",1,0,LIP},{"json",0,0,JSON},{"quiet",0,0,QUIET},{"assert-pps",1,0,APPS},{"rx-poll",1,0,RXP},{0,0,0,0}};
  for (int c; (c = getopt_long(argc, argv, "s:u:w:h", lo, nullptr)) != -1;) switch (c) {
    case 's': O.server = parse_hostport(optarg, "3478"); O.have_server = true; break; case 'u': O.user = optarg; break; case 'w': O.pass = optarg; break;
    case MODE: O.mode = optarg; break; case TRANS: O.transport = optarg; break; case DIR_: O.dir = optarg; break; case ALLOCS: O.allocs = atoi(optarg); break; case CHANS: O.channels = atoi(optarg); break;
    case IND: O.indication = true; break; case PAY: O.payload = atoi(optarg); break; case BATCH: O.batch = atoi(optarg); break; case RATE: O.rate = atof(optarg); break; case DUR: O.duration = atof(optarg); break; case WARM: O.warmup = atof(optarg); break;
    case SEARCH: O.search = true; break; case LOSS: O.max_loss = atof(optarg); break; case GSO: O.gso = true; break; case GRO: O.gro = true; break; case SEND: O.senders = atoi(optarg); break; case PID: O.pids.push_back(atoi(optarg)); break;
    case CPU: O.cpu = atoi(optarg); break; case SCPU: O.server_cpu = atoi(optarg); break; case PEER: O.peer_ip = optarg; break; case PPORT: O.fwd_ports = atoi(optarg); break; case LIP: O.local_ip = optarg; break; case JSON: O.json = true; break; case QUIET: O.quiet = true; break; case RXP: O.rx_poll = atoi(optarg); break; case APPS: O.assert_pps = atof(optarg); break;
    default: usage(); }
  if (O.mode != "direct" && !O.have_server) usage();
  if (O.mode == "direct" && !O.have_server) O.server = resolve(O.peer_ip, "9");
  if (O.payload < int(sizeof(Head)) || O.payload > 1400) die("--payload must be 24..1400");
  if (O.allocs < 1 || O.channels < 1 || O.channels > 4096 || O.batch < 1 || O.batch > 1024 || O.senders < 1) usage();
  if (O.dir != "c2p" && O.dir != "p2c" && O.dir != "both") usage();
  if (O.mode != "turn" && O.transport != "udp") die("--mode %s goes over udp alone", O.mode.c_str());
  if (O.mode == "direct" && O.dir != "c2p") die("--mode direct goes one way alone");
#ifndef TURNLOAD_TLS
  if (O.transport == "tls") die("built without TLS: rebuild with -DTURNLOAD_TLS -lssl -lcrypto");
#endif
  if (O.transport != "udp" && O.senders > O.allocs) die("stream transports need --senders <= --allocs");
  if (O.cpu >= 0) { cpu_set_t s; CPU_ZERO(&s); CPU_SET(O.cpu, &s); if (sched_setaffinity(0, sizeof s, &s)) die("cannot pin to core %d", O.cpu); }
  rlimit rl{65536, 65536}; setrlimit(RLIMIT_NOFILE, &rl);
  prctl(PR_SET_TIMERSLACK, 1UL);

  Addr any = resolve(O.peer_ip, "0");
  for (int k = 0; k < O.channels; k++) { Peer p; p.fd = udp_socket(any.family()); Addr a = any; if (O.fwd_ports) a = resolve(O.peer_ip, std::to_string(O.fwd_ports + k));
    if (bind(p.fd, (sockaddr*)&a.ss, a.len)) die("bind peer %s: %s", a.str().c_str(), strerror(errno));
    if (O.gro) { int one = 1; setsockopt(p.fd, SOL_UDP, UDP_GRO, &one, sizeof one); }
    p.addr = local_addr(p.fd); P.push_back(p); }
  u64 th0 = now_ns(); std::vector<double> setup;
  for (int i = 0; i < O.allocs; i++) {
    auto c = std::make_unique<Client>(); u64 s = now_ns();
    if (O.mode == "direct") c->fd = udp_socket(any.family()); else c->open_socket();
    if (O.mode == "turn") { c->allocate(); for (int k = 0; k < O.channels; k++) if (O.indication) c->permit(P[size_t(k)].addr); else c->bind_channel(k, P[size_t(k)].addr); }
    if (O.mode == "raw" && O.dir != "c2p") c->ask_forwarder();
    for (int k = 0; k < O.channels; k++) c->make_prefix(k, P[size_t(k)].addr);
    setup.push_back(double(now_ns() - s) / 1e6);
    if (O.gro && O.transport == "udp") { int one = 1; setsockopt(c->fd, SOL_UDP, UDP_GRO, &one, sizeof one); }
    C.push_back(std::move(c));
  }
  std::sort(setup.begin(), setup.end());
  if (!O.quiet && !O.json) printf("%s over %s: %d allocation(s) x %d channel(s), payload %d B, dir %s%s; set up in %.1f ms (per allocation p50 %.2f ms, max %.2f ms); relayed %s\n", O.mode.c_str(), O.transport.c_str(), O.allocs, O.channels, O.payload, O.dir.c_str(), O.indication ? ", indications" : "", double(now_ns() - th0) / 1e6, setup[setup.size() / 2], setup.back(), O.mode == "turn" ? C[0]->relayed.str().c_str() : "-");
  auto rp = std::make_unique<Rx>(); for (auto& p : P) rp->fds.push_back(p.fd); R.push_back(std::move(rp));
  if (O.dir != "c2p") { auto rc = std::make_unique<Rx>(); rc->client_side = true; for (auto& c : C) { rc->fds.push_back(c->fd); rc->owner.push_back(c.get()); } R.push_back(std::move(rc)); }
  auto rx_start = [] { g_stop_rx = false; for (auto& r : R) { Rx* x = r.get(); x->th = std::thread([x] { x->loop(); }); } };
  auto rx_stop = [] { g_stop_rx = true; for (auto& r : R) if (r->th.joinable()) r->th.join(); };
  rx_start();
  // Long searches outlive permissions (300 s) and channels (600 s): renew between runs.
  u64 renewed = now_ns();
  auto renew = [&] { if (O.mode != "turn" || now_ns() - renewed < 200ull * 1000000000ull) return; rx_stop();
    for (auto& c : C) { c->refresh(600); for (int k = 0; k < O.channels; k++) if (O.indication) c->permit(P[size_t(k)].addr); else c->bind_channel(k, P[size_t(k)].addr); }
    renewed = now_ns(); rx_start(); };
  if (O.warmup > 0) run_once(O.rate > 0 ? O.rate : 2000, O.warmup);
  Result fin;
  if (!O.search) { fin = run_once(O.rate, O.duration); print("run", fin); }
  else {
    double lo_ = 0, hi = 0, r = O.rate > 0 ? O.rate : 4000; Result best; double step = std::min(O.duration, 2.0);
    for (int i = 0; i < 14; i++) { renew(); Result x = run_once(r, step); if (!O.quiet && !O.json) print("probe", x);
      if (x.loss <= O.max_loss && !x.limited) { lo_ = r; best = x; r *= 2; } else { hi = x.limited && x.loss <= O.max_loss ? x.offered : r; if (x.limited && x.loss <= O.max_loss) { lo_ = x.offered * 0.98; best = x; } break; } }
    for (int i = 0; i < 6 && hi > lo_ * 1.03; i++) { renew(); double m = (lo_ + hi) / 2; Result x = run_once(m, step); if (!O.quiet && !O.json) print("probe", x); if (x.loss <= O.max_loss && !x.limited) { lo_ = m; best = x; } else hi = m; }
    // confirm over the full duration; back off 7 % at a time if the short probe was lucky
    bool confirmed = false;
    for (int i = 0; i < 8; i++) { renew(); fin = run_once(lo_, O.duration); confirmed = fin.loss <= O.max_loss; if (confirmed) break; lo_ *= 0.93; }
    print(confirmed ? "max" : "max(not confirmed)", fin);
  }
  rx_stop();
  release_all();
  return O.assert_pps > 0 && fin.pps < O.assert_pps ? 1 : 0;
}
