// What must hold for the shipped suite and for its stand-in alike.
#pragma once

#include <gtest/gtest.h>

#include "base/rng.h"
#include "crypto/suite.h"

namespace linnet::crypto {

class EachSuite : public testing::TestWithParam<const Suite*> {
 protected:
  const Suite& suite() const { return *GetParam(); }

  SeededRng rng_{3};
};

inline std::string suite_name(const testing::TestParamInfo<const Suite*>& p) {
  return p.param == &shipped_suite() ? "shipped" : "typed";
}

}  // namespace linnet::crypto

#define LINNET_EACH_SUITE(fixture) \
  INSTANTIATE_TEST_SUITE_P(Suites, fixture, testing::Values(&shipped_suite(), &typed_suite()), suite_name)
