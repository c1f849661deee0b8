#include "node/io/urgency.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace linnet::io {
namespace {

// Linux: a thread's own number, or 0 for the one that asks; neither touches the other threads of the process.
bool schedule(int policy, int priority) {
  sched_param param{};
  param.sched_priority = priority;
  return ::sched_setscheduler(0, policy, &param) == 0;
}

// As high as the limit allows; where it says nothing (a privilege may stand above it), the kernel decides.
int allowed_priority() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_RTPRIO, &limit) != 0 || limit.rlim_cur == 0) return Urgency::kPriority;
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, Urgency::kPriority));
}

// RLIMIT_NICE counts from the other end: 20 minus the least value.
int allowed_nice() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NICE, &limit) != 0 || limit.rlim_cur == 0) return Urgency::kNice;
  return std::max(20 - static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 40)), Urgency::kNice);
}

}  // namespace

Urgency::Means Urgency::raise() {
  if (raised_) return means_;
  raised_ = true;
  means_ = Means::none;
  sched_param before{};
  policy_ = ::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
  (void)::sched_getparam(0, &before);
  priority_ = before.sched_priority;
  errno = 0;
  nice_ = ::getpriority(PRIO_PROCESS, 0);
  if (policy_ == SCHED_OTHER && schedule(SCHED_RR | SCHED_RESET_ON_FORK, allowed_priority())) {
    means_ = Means::realtime;
  } else if (const int wanted = allowed_nice(); wanted < nice_ && ::setpriority(PRIO_PROCESS, 0, wanted) == 0) {
    means_ = Means::nice;
  }
  return means_;
}

// Only a privileged thread may take SCHED_RESET_ON_FORK back, so it stays: ordinary threads begin ordinary ones anyway.
void Urgency::drop() {
  if (!raised_) return;
  raised_ = false;
  if (means_ == Means::realtime) (void)schedule(policy_ | SCHED_RESET_ON_FORK, priority_);
  if (means_ == Means::nice) (void)::setpriority(PRIO_PROCESS, 0, nice_);
  means_ = Means::none;
}

std::string to_string(Urgency::Means means) {
  switch (means) {
    case Urgency::Means::realtime: return "it is scheduled in real time (SCHED_RR) meanwhile";
    case Urgency::Means::nice: return "it goes before other programs (nice) meanwhile";
    case Urgency::Means::none: return "this system gives it no precedence (see RLIMIT_RTPRIO, RLIMIT_NICE)";
  }
  return {};
}

}  // namespace linnet::io
