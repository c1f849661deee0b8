// Published vectors: read from $LINNET_TEST_DATA, else from ../shared/data beside the checkout; never carried in the
// tree.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "checkout.h"
#include "crypto/suite.h"

namespace linnet::crypto {

inline std::filesystem::path test_data(const std::string& name) {
  const char* given = std::getenv("LINNET_TEST_DATA");
  const auto root =
      given != nullptr ? std::filesystem::path(given) : std::filesystem::path(LINNET_SOURCE_DIR) / "../shared/data";
  return root / name;
}

inline nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

inline Bytes hex(const nlohmann::json& text) { return from_hex(text.get<std::string>()).value(); }

template <std::size_t N>
ByteArray<N> fixed(ByteView bytes) {
  if (bytes.size() != N) throw std::length_error("a field of another length");
  ByteArray<N> out;
  std::memcpy(out.data(), bytes.data(), N);
  return out;
}

inline Secret secret(std::uint8_t fill) {
  ByteArray<32> bytes;
  bytes.fill(fill);
  return Secret(bytes);
}

}  // namespace linnet::crypto

#define LINNET_NEED_DATA(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no test data at " << (path) << "; set LINNET_TEST_DATA"
