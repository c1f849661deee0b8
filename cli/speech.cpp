#include "cli/speech.h"

// The assembler takes the file in as it is; the build gives its path.
asm(R"(
    .section .rodata
    .balign 16
linnet_speech_begin:
    .incbin ")" LINNET_SPEECH_FILE R"("
linnet_speech_end:
    .byte 0
    .previous
)");

extern "C" {
extern const unsigned char speech_begin[] asm("linnet_speech_begin");
extern const unsigned char speech_end[] asm("linnet_speech_end");
}

namespace linnet::cli {

ByteView speech_wav() { return {speech_begin, static_cast<std::size_t>(speech_end - speech_begin)}; }

}  // namespace linnet::cli
