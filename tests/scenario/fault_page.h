// A program under the shim of tests/lab/faults: what it suffers is written here while it runs.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "checkout.h"
#include "tests/io/home_folder.h"
#include "tests/lab/faults/faults.h"
#include "tests/scenario/process.h"

namespace linnet::scenario {

class FaultPage {
 public:
  FaultPage() {
    const auto path = folder_ / "page";
    const io::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (::ftruncate(fd.get(), sizeof(faults::Page)) != 0) std::abort();
    void* at = ::mmap(nullptr, sizeof(faults::Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (at == MAP_FAILED) std::abort();
    page_ = new (at) faults::Page{};
  }
  ~FaultPage() { ::munmap(page_, sizeof(faults::Page)); }
  FaultPage(const FaultPage&) = delete;
  FaultPage& operator=(const FaultPage&) = delete;

  faults::Page* operator->() { return page_; }
  Environment environment() const {
    return {"LD_PRELOAD=" LINNET_BINARY_DIR "/tests/liblinnet_faults.so",
            "LINNET_FAULTS=" + (folder_ / "page").string()};
  }
  void heal() { page_->kill_at = page_->error = page_->wall_s = page_->starve = page_->steps = page_->failed = 0; }

 private:
  io::HomeFolder folder_;
  faults::Page* page_;
};

}  // namespace linnet::scenario
