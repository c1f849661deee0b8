#include "base/base64.h"

#include <gtest/gtest.h>

namespace linnet {
namespace {

TEST(Base64, FollowsTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& v : vectors) {
    EXPECT_EQ(to_base64(view(v.first)), v.second);
    EXPECT_EQ(from_base64(v.second), copy(view(v.first)));
  }
  for (auto bad : {"Z", "Zg==x", "Zh==", "Z*==", "Zm9v==="}) EXPECT_FALSE(from_base64(bad)) << bad;
}

}  // namespace
}  // namespace linnet
