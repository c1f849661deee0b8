#include "node/io/loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <new>
#include <thread>

#include "node/io/clock.h"
#include "node/io/files.h"

namespace linnet::io {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Couple {
  Couple() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    here.reset(fds[0]);
    there.reset(fds[1]);
  }
  void say(char c = 'x') const { EXPECT_EQ(::send(there.get(), &c, 1, MSG_NOSIGNAL), 1); }
  char hear() const {
    char c = 0;
    return ::recv(here.get(), &c, 1, MSG_DONTWAIT) == 1 ? c : '\0';
  }
  Fd here, there;
};

struct LoopTest : testing::Test {
  void run() {
    bool late = false;
    const auto limit = loop.alarm([&] {
      late = true;
      loop.stop();
    });
    limit->set(now() + seconds(20));
    loop.run();
    EXPECT_FALSE(late);
  }
  Loop loop;
};

TEST_F(LoopTest, CallsAgainWhileThereIsSomethingToRead) {
  const Couple couple;
  for (const char c : {'a', 'b', 'c'}) couple.say(c);
  std::string heard;
  const auto watch = loop.watch(couple.here.get(), [&] {
    heard += couple.hear();
    if (heard.size() == 3) loop.stop();
  });
  run();
  EXPECT_EQ(heard, "abc");
}

TEST_F(LoopTest, TellsOfAnEndThatWasClosed) {
  Couple couple;
  couple.there.reset();
  const auto watch = loop.watch(couple.here.get(), [&] { loop.stop(); });
  run();
  EXPECT_EQ(couple.hear(), '\0');
}

TEST_F(LoopTest, CallsNobodyWhoseWatchWasDestroyedInTheSameTurn) {
  const std::array<Couple, 2> couples;
  std::array<std::unique_ptr<Loop::Watch>, 2> watches;
  int calls = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    couples[i].say();
    watches[i] = loop.watch(couples[i].here.get(), [&] {
      ++calls;
      for (auto& watch : watches) watch.reset();  // the other's and its own
      loop.post([&] { loop.stop(); });
    });
  }
  run();
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopTest, AWatchMadeInAHandlerHearsWhatIsThere) {
  const std::array<Couple, 2> couples;
  std::unique_ptr<Loop::Watch> second;
  couples[0].say();
  couples[1].say();
  const auto first = loop.watch(couples[0].here.get(), [&] {
    couples[0].hear();
    second = loop.watch(couples[1].here.get(), [&] { loop.stop(); });
  });
  run();
}

TEST_F(LoopTest, CallsOnceWhenBytesAreTakenAgain) {
  const Couple couple;
  int writable = 0;
  const auto watch = loop.watch(couple.here.get(), [&] {
    couple.hear();
    loop.stop();
  });
  watch->when_writable([&] {
    ++writable;
    couple.say();
  });
  run();
  EXPECT_EQ(writable, 1);
  couple.say();
  run();
  EXPECT_EQ(writable, 1);
  watch->when_writable([&] {
    if (++writable == 2) watch->when_writable([&] { loop.stop(); });  // again from within
  });
  run();
  EXPECT_EQ(writable, 2);
}

TEST_F(LoopTest, AWriterWaitsForRoom) {
  const Couple couple;
  const Bytes much(std::size_t{1} << 20, 1);
  while (::send(couple.here.get(), much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  bool room = false;
  const auto watch = loop.watch(couple.here.get(), [] {});
  watch->when_writable([&] {
    room = true;
    loop.stop();
  });
  bool read = false;
  const auto later = loop.alarm([&] {
    EXPECT_FALSE(room);
    read = true;
    Bytes into(much.size());
    while (::recv(couple.there.get(), into.data(), into.size(), MSG_DONTWAIT) > 0) {
    }
  });
  later->set(now() + milliseconds(5));
  run();
  EXPECT_TRUE(read && room);
}

TEST_F(LoopTest, RingsInTheOrderOfDeadlines) {
  std::string rang;
  const auto start = now();
  const auto c = loop.alarm([&] {
    rang += 'c';
    loop.stop();
  });
  const auto b = loop.alarm([&] { rang += 'b'; });
  const auto a = loop.alarm([&] {
    EXPECT_GE(now(), start + milliseconds(1));
    rang += 'a';
  });
  const auto past = loop.alarm([&] { rang += 'p'; });
  const auto never = loop.alarm([&] { rang += 'n'; });
  c->set(start + milliseconds(3));
  b->set(start + milliseconds(2));
  a->set(start + milliseconds(1));
  past->set(Time{});
  never->set(start + milliseconds(1));
  never->set(kNever);
  run();
  EXPECT_EQ(rang, "pabc");
}

TEST_F(LoopTest, AnAlarmSetAgainRingsOnceAtTheLastTimeSaid) {
  const auto start = now();
  int rang = 0;
  const auto alarm = loop.alarm([&] {
    ++rang;
    EXPECT_GE(now(), start + milliseconds(20));
  });
  const auto end = loop.alarm([&] { loop.stop(); });
  alarm->set(start + milliseconds(1));  // the kernel's timer stands here first
  loop.post([&] { loop.post([&] { alarm->set(start + milliseconds(20)); }); });
  end->set(start + milliseconds(30));
  run();
  EXPECT_EQ(rang, 1);
}

TEST_F(LoopTest, AnAlarmMaySetAndDestroyAlarms) {
  int beats = 0;
  std::unique_ptr<Loop::Alarm> beat;
  std::unique_ptr<Loop::Alarm> made;
  beat = loop.alarm([&] {
    beat->set(++beats < 5 ? Time{} : kNever);  // the past: others get their turn in between
    if (beats == 5) {
      made = loop.alarm([&] { loop.stop(); });
      made->set(now());
      beat.reset();
    }
  });
  beat->set(Time{});
  run();
  EXPECT_EQ(beats, 5);
}

TEST_F(LoopTest, AnAlarmThatIsAlwaysDueStarvesNobody) {
  const Couple couple;
  const auto alarm = loop.alarm([] {});
  std::unique_ptr<Loop::Alarm> again;
  again = loop.alarm([&] { again->set(Time{}); });
  again->set(Time{});
  const auto watch = loop.watch(couple.here.get(), [&] { loop.stop(); });
  couple.say();
  run();
}

TEST_F(LoopTest, AnAlarmThatIsAlwaysDueStarvesNoOtherAlarm) {
  std::unique_ptr<Loop::Alarm> again;
  again = loop.alarm([&] { again->set(Time{}); });
  const auto other = loop.alarm([&] { loop.stop(); });
  other->set(now() + std::chrono::milliseconds(1));
  again->set(Time{});
  run();
}

TEST_F(LoopTest, DoesWhatOtherThreadsPostInTheirOrder) {
  std::vector<int> done;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) loop.post([&, i] { done.push_back(i); });
    loop.post([&] { loop.stop(); });
  });
  run();
  other.join();
  ASSERT_EQ(done.size(), 100U);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

TEST_F(LoopTest, WhatIsPostedBeforeAStopIsDoneByTheNextRun) {
  bool second = false;
  loop.post([&] { loop.stop(); });
  loop.post([&] {
    second = true;
    loop.stop();
  });
  run();
  EXPECT_FALSE(second);
  run();
  EXPECT_TRUE(second);
}

// Whatever is destroyed with posted work may post as well.
TEST_F(LoopTest, WorkMayPostFromItsDestructor) {
  struct Last {
    explicit Last(Loop& l) : loop(l) {}  // clang 14 makes no aggregate of parentheses
    Loop& loop;
    ~Last() {
      loop.post([&l = loop] { l.stop(); });
    }
  };
  loop.post([last = std::make_shared<Last>(loop)] {});
  run();
}

TEST_F(LoopTest, TellsOfSignals) {
  std::vector<int> heard;
  loop.on_signals({SIGUSR1, SIGUSR2}, [&](int number) {
    heard.push_back(number);
    if (heard.size() == 2) loop.stop();
  });
  loop.post([] {
    ::kill(::getpid(), SIGUSR1);
    ::kill(::getpid(), SIGUSR2);
  });
  run();
  EXPECT_EQ(heard, (std::vector<int>{SIGUSR1, SIGUSR2}));
}

TEST_F(LoopTest, GoesOnWhenMemoryIsOut) {
  loop.post([] { throw std::bad_alloc(); });
  const auto alarm = loop.alarm([&] { loop.stop(); });
  loop.post([&] { alarm->set(Time{}); });
  run();
}

// What comes while it rests is dealt with in one turn; no rest is longer than promised.
TEST_F(LoopTest, RestsForATurnAndNoLonger) {
  const Couple couple;
  std::vector<Time> read;
  const auto watch = loop.watch(couple.here.get(), [&] {
    couple.hear();
    read.push_back(now());
    couple.say();
    if (read.size() == 1) loop.rest_until(now() + microseconds(500));
    if (read.size() == 2) loop.rest_until(now() + seconds(1000));
    if (read.size() == 3) loop.stop();
  });
  couple.say();
  run();
  ASSERT_EQ(read.size(), 3U);
  EXPECT_GE(read[1] - read[0], microseconds(500));
  EXPECT_GE(read[2] - read[1], Loop::kLongestRest);
  EXPECT_LT(read[2] - read[1], seconds(20));
}

}  // namespace
}  // namespace linnet::io
