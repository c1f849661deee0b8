#include "crypto/sealed_box.h"

namespace linnet::crypto {

Secret record_key(const Address& address, const DeviceKey& device) {
  return Secret(hash256({view("linnet-1 record"), device, view(address.text())}).bytes);
}

}  // namespace linnet::crypto
