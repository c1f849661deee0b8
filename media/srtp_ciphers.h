// Ciphers and MAC of libcrypto behind libsrtp2, in the place of its own: see docs/decisions/042.
#pragma once

namespace linnet::media {

// Once, after srtp_init(); contexts made before keep what they have. libsrtp2 takes each only after it passed its own
// test vectors and ours. False: one was not taken, and there the library's own goes on.
bool replace_srtp_ciphers();

}  // namespace linnet::media
