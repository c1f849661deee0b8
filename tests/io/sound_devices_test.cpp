#include "node/io/files.h"
#include "node/io/sound/sound_choice.h"
#include "node/io/sound/sound_thread.h"
#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

SoundDevice device(int index, std::string name, bool microphone, bool loudspeaker, bool standard) {
  return {index, std::move(name), "ALSA", microphone, loudspeaker, standard && microphone, standard && loudspeaker, 10,
          10};
}

const std::vector<SoundDevice> kTwo{device(0, "Built-in", true, true, true), device(1, "HDMI 0", false, true, false)};

TEST(SoundDevices, AreTheSystemsUnlessOthersWereChosen) {
  const auto standard = pick_devices(kTwo, {});
  ASSERT_TRUE(standard);
  EXPECT_EQ(standard->microphone.name, "Built-in");
  EXPECT_EQ(standard->loudspeaker.name, "Built-in");
  const auto mixed = pick_devices(kTwo, {"", "HDMI 0"});
  ASSERT_TRUE(mixed);
  EXPECT_EQ(mixed->microphone.name, "Built-in");
  EXPECT_EQ(mixed->loudspeaker.name, "HDMI 0");
}

TEST(SoundDevices, ThatAreNotThereAreNamedWithWhatIs) {
  EXPECT_EQ(pick_devices(kTwo, {"USB Headset", "USB Headset"}).error().text,
            "No microphone (asked for \"USB Headset\"). Found: 0 Built-in. Use: linnet audio set 0");
  EXPECT_EQ(pick_devices(kTwo, {"", "USB Headset"}).error().text,
            "No loudspeaker (asked for \"USB Headset\"). Found: 0 Built-in, 1 HDMI 0. Use: linnet audio set 0");
  EXPECT_EQ(pick_devices({}, {}).error().text.substr(0, 68),
            "No microphone and no loudspeaker: this machine has no sound device.\n");
  EXPECT_EQ(pick_devices({kTwo[1]}, {}).error().text.substr(0, 39), "No microphone: this machine has none.\n ");
}

TEST(SoundDevices, AreFoundByNumberNameOrPartOfIt) {
  EXPECT_EQ(find_device(kTwo, "1"), &kTwo[1]);
  EXPECT_EQ(find_device(kTwo, "Built-in"), &kTwo[0]);
  EXPECT_EQ(find_device(kTwo, "hdmi"), &kTwo[1]);
  EXPECT_EQ(find_device(kTwo, "i"), nullptr) << "both have one";
  EXPECT_EQ(find_device(kTwo, "2"), nullptr);
  EXPECT_EQ(find_device(kTwo, ""), nullptr);
}

TEST(SoundChoice, OutlastsARestart) {
  const HomeFolder home;
  const auto file = home / "audio.json";
  EXPECT_FALSE(load_sound_choice(file));
  const SoundChoice choice{"USB \"Headset\"", "HDMI 0"};
  ASSERT_TRUE(save_sound_choice(file, choice));
  EXPECT_EQ(load_sound_choice(file), choice);
  ASSERT_TRUE(save_sound_choice(file, {}));
  EXPECT_FALSE(file_exists(file));
  for (const char* broken : {"", "[]", "{\"microphone\":", "nonsense"}) {
    home.write("audio.json", broken);
    EXPECT_FALSE(load_sound_choice(file)) << broken;
  }
  home.write("audio.json", R"({"microphone":7})");
  EXPECT_EQ(load_sound_choice(file), SoundChoice{});
}

// Whatever devices this machine has: the answers come on the loop's thread, in order, and the loop never waits.
TEST(SoundThread, AnswersOnTheLoop) {
  Loop loop;
  std::vector<std::string> order;
  {
    SoundThread cards(loop);
    const auto here = std::this_thread::get_id();
    const auto never = [] { return SoundChoice{"no such device", "no such device"}; };
    cards.present(never, [&](const Done& found) {
      EXPECT_FALSE(found);
      EXPECT_EQ(std::this_thread::get_id(), here);
      order.push_back("present");
    });
    cards.open(never, [&](SoundThread::Opened card) {
      EXPECT_FALSE(card);
      EXPECT_EQ(std::this_thread::get_id(), here);
      order.push_back("open");
      loop.stop();
    });
    order.push_back("asked");
    loop.run();
  }
  EXPECT_EQ(order, (std::vector<std::string>{"asked", "present", "open"}));
}

TEST(SoundThread, AnswersNobodyWhoIsGone) {
  Loop loop;
  int answers = 0;
  {
    SoundThread cards(loop);
    cards.present([] { return SoundChoice{}; }, [&](const Done&) { ++answers; });
  }
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(answers, 0);
}

}  // namespace
}  // namespace linnet::io
