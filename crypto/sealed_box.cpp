#include "crypto/sealed_box.h"

namespace linnet::crypto {

Secret record_key(const NetworkId& network, const Address& address, const DeviceKey& device) {
  return Secret(hash256({view("linnet-1 record"), network, device, view(address.text())}).bytes);
}

}  // namespace linnet::crypto
