# The libraries Linnet stands on, all from the distribution (scripts/deps). Their headers are SYSTEM.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(opus REQUIRED IMPORTED_TARGET opus)
pkg_check_modules(srtp REQUIRED IMPORTED_TARGET libsrtp2)
pkg_check_modules(speexdsp REQUIRED IMPORTED_TARGET speexdsp)
pkg_check_modules(webrtc_audio REQUIRED IMPORTED_TARGET webrtc-audio-processing)
pkg_check_modules(sndfile REQUIRED IMPORTED_TARGET sndfile)
pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(portaudio REQUIRED IMPORTED_TARGET portaudio-2.0)
pkg_check_modules(miniupnpc REQUIRED IMPORTED_TARGET miniupnpc)
pkg_check_modules(qrencode REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(pugixml REQUIRED IMPORTED_TARGET pugixml)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(openssl REQUIRED IMPORTED_TARGET openssl)
pkg_check_modules(libcrypto REQUIRED IMPORTED_TARGET libcrypto)

function(linnet_headers name)
  add_library(linnet_dep_${name} INTERFACE)
  add_library(Linnet::${name} ALIAS linnet_dep_${name})
endfunction()

linnet_headers(expected)

linnet_headers(msgpack)
target_compile_definitions(linnet_dep_msgpack INTERFACE MSGPACK_NO_BOOST)

linnet_headers(asio)
# Asio 1.74 uses std::exchange without including <utility> under GCC 12 in C++20.
target_compile_options(linnet_dep_asio INTERFACE -include utility)
target_compile_definitions(linnet_dep_asio INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ERROR_CODE_HEADER_ONLY)
target_link_libraries(linnet_dep_asio INTERFACE Threads::Threads)

linnet_headers(json)
linnet_headers(toml)
linnet_headers(cli11)

find_package(spdlog REQUIRED)
linnet_headers(spdlog)
target_link_libraries(linnet_dep_spdlog INTERFACE spdlog::spdlog)
