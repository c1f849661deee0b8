// msgpack that promises much and brings little (security.md, check 4).
#pragma once

#include <initializer_list>
#include <vector>

#include "base/bytes.h"

namespace linnet::bomb {

inline constexpr std::size_t kMegabyte = 1024 * 1024;

struct Bomb {
  const char* name;
  Bytes bytes;
};

inline Bytes repeated(std::initializer_list<std::uint8_t> unit, std::size_t bytes) {
  Bytes out;
  out.reserve(bytes + unit.size());
  while (out.size() < bytes) out.insert(out.end(), unit);
  return out;
}

inline std::vector<Bomb> all() {
  std::vector<Bomb> out{
      {"array of 2^32", {0xdd, 0xff, 0xff, 0xff, 0xff}},
      {"map of 2^32", {0xdf, 0xff, 0xff, 0xff, 0xff}},
      {"array of 2^16", {0xdc, 0xff, 0xff}},
      {"map of 2^16", {0xde, 0xff, 0xff}},
      {"string of 2^32", {0xdb, 0xff, 0xff, 0xff, 0xff}},
      {"bytes of 2^32", {0xc6, 0xff, 0xff, 0xff, 0xff}},
      {"extension of 2^32", {0xc9, 0xff, 0xff, 0xff, 0xff, 1}},
      {"bytes of 2^32 in a field", {0x81, 0x04, 0xc6, 0xff, 0xff, 0xff, 0xff}},
      {"a megabyte of arrays of one", repeated({0x91}, kMegabyte)},
      {"a megabyte of maps of one", repeated({0x81, 0x01}, kMegabyte)},
      {"a megabyte of arrays of 2^32", repeated({0xdd, 0xff, 0xff, 0xff, 0xff}, kMegabyte)},
      {"a megabyte of arrays of 1,024", repeated({0xdc, 0x04, 0x00}, kMegabyte)},
      {"a megabyte of maps of 256", repeated({0xde, 0x01, 0x00, 0x01}, kMegabyte)},
  };
  // Sixteen levels, each an array of 1,024 that ends in the next: every limit is held but that of all values together.
  Bytes wide;
  for (int level = 0; level < 15; ++level) {
    wide.insert(wide.end(), {0xdc, 0x04, 0x00});
    wide.insert(wide.end(), 1023, 0xc0);
  }
  out.push_back({"fifteen levels of 1,024", wide});
  return out;
}

}  // namespace linnet::bomb
