// The sentence of the demo (assets/speech.wav), as part of the program.
#pragma once

#include "base/bytes.h"

namespace linnet::cli {

ByteView speech_wav();

}  // namespace linnet::cli
