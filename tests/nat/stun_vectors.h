// The published messages: RFC 5769, sections 2.1 to 2.4, and RFC 8489, appendix B.1, as its verified erratum has it
// (the printed one lacks PASSWORD-ALGORITHM, and its length and tag fit nothing).
#pragma once

#include "base/bytes.h"

namespace linnet::nat::stun {

inline constexpr std::string_view kShortPassword = "VOkJxbRl1RmTxUk/WvJxBt";
inline constexpr std::string_view kMatrixName = "\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9";
inline constexpr std::string_view kRealm = "example.org";
inline constexpr std::string_view kLongPassword = "TheMatrIX";

inline Bytes sample_request() {
  return *from_hex(
      "000100582112a442b7e7a701bc34d686fa87dfae"
      "802200105354554e207465737420636c69656e74"
      "002400046e0001ff80290008932ff9b151263b36"
      "000600096576746a3a68367659202020"
      "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
      "80280004e57a3bcf");
}
inline Bytes sample_ipv4_response() {
  return *from_hex(
      "0101003c2112a442b7e7a701bc34d686fa87dfae"
      "8022000b7465737420766563746f7220"
      "002000080001a147e112a643"
      "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
      "80280004c07d4c96");
}
inline Bytes sample_ipv6_response() {
  return *from_hex(
      "010100482112a442b7e7a701bc34d686fa87dfae"
      "8022000b7465737420766563746f7220"
      "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
      "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
      "80280004c8fb0b4c");
}
inline Bytes sample_long_term_request() {
  return *from_hex(
      "000100602112a44278ad3433c6ad72c029da412e"
      "00060012e3839ee38388e383aae38383e382afe382b90000"
      "0015001c662f2f3439396b3935346436"
      "4f4c33346f4c39465354767936347341"
      "0014000b6578616d706c652e6f726700"
      "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666");
}
inline Bytes sample_sha256_request() {
  return *from_hex(
      "000100902112a44278ad3433c6ad72c029da412e"
      "001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704"
      "001500296f624d61744a6f7332414141"
      "43662f2f3439396b393534"
      "64364f4c33346f4c39465354767936347341000000"
      "0014000b6578616d706c652e6f726700"
      "001d000400020000"
      "001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65");
}

}  // namespace linnet::nat::stun
