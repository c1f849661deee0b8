// The INVITE that parsers are measured with: 685 bytes, with every field that the user agent itself writes.
#pragma once

#include <string>

namespace linnet::bench {

inline std::string invite() {
  const std::string sdp =
      "v=0\r\no=- 1000 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 9 RTP/SAVP 96\r\na=rtpmap:96 "
      "opus/48000/2\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n";
  return "INVITE sip:bob@biloxi.example.com SIP/2.0\r\n"
         "Via: SIP/2.0/TCP client.atlanta.example.com;branch=z9hG4bK74bf9a01d2e3f4\r\n"
         "Max-Forwards: 70\r\n"
         "From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
         "To: Bob <sip:bob@biloxi.example.com>\r\n"
         "Call-ID: 3848276298220188511\r\n"
         "CSeq: 1 INVITE\r\n"
         "Contact: <sip:alice@client.atlanta.example.com>\r\n"
         "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, INFO\r\n"
         "Supported: 100rel\r\n"
         "User-Agent: Linnet/0.1\r\n"
         "Content-Type: application/sdp\r\n"
         "Content-Length: " +
         std::to_string(sdp.size()) + "\r\n\r\n" + sdp;
}

}  // namespace linnet::bench
