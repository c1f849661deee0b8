#include "cli/qr.h"

#include <qrencode.h>

#include <memory>

namespace linnet::cli {
namespace {

constexpr int kQuiet = 2;  // modules; the standard asks for 4, readers of screens do with 2

struct Free {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

}  // namespace

std::optional<std::string> qr(std::string_view text) {
  const std::string copy(text);
  const std::unique_ptr<QRcode, Free> code(QRcode_encodeString(copy.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1));
  if (!code) return std::nullopt;
  const int width = code->width;
  const auto dark = [&](int x, int y) {
    return x >= 0 && y >= 0 && x < width && y < width && (code->data[y * width + x] & 1) != 0;
  };
  std::string out;
  for (int y = -kQuiet; y < width + kQuiet; y += 2) {
    // Light modules are drawn, on a terminal that is dark; with reversed colours it reads as well.
    for (int x = -kQuiet; x < width + kQuiet; ++x) {
      const bool upper = dark(x, y);
      const bool lower = dark(x, y + 1) || y + 1 >= width + kQuiet;
      out += upper ? (lower ? " " : "\xE2\x96\x84") : (lower ? "\xE2\x96\x80" : "\xE2\x96\x88");
    }
    out += '\n';
  }
  out.pop_back();
  return out;
}

}  // namespace linnet::cli
