// The TCP connections of our agent on the loopback, turned by the same loop as everything else.
#pragma once

#include <glib-unix.h>

#include <functional>
#include <memory>
#include <vector>

#include "nat/ice_streams.h"

namespace linnet::interop {

class OurStreams {
 public:
  using Name = nat::ice::StreamName;
  struct Ears {
    std::function<void(const Name&)> connected;
    std::function<void(const Name&)> accepted;
    std::function<void(const Name&)> closed;
    std::function<void(const Name&, ByteView)> receive;
  };

  OurStreams(GMainContext* context, Ears ears) : context_(context), ears_(std::move(ears)) {}
  ~OurStreams();
  OurStreams(const OurStreams&) = delete;
  OurStreams& operator=(const OurStreams&) = delete;

  // Where it listens.
  Endpoint listen(nat::ice::Base base);
  void connect(const Name& name);
  // False: there is no such connection, or it takes no more.
  bool write(const Name& name, ByteView bytes);
  void close(const Name& name);
  std::size_t open() const { return all_.size(); }

 private:
  struct One {
    OurStreams* owner = nullptr;
    Name name;
    int fd = -1;
    GSource* source = nullptr;
  };

  static gboolean on_caller(gint fd, GIOCondition condition, gpointer self);
  static gboolean on_connected(gint fd, GIOCondition condition, gpointer one);
  static gboolean on_readable(gint fd, GIOCondition condition, gpointer one);
  One* find(const Name& name);
  void watch(One& one, GIOCondition condition, GUnixFDSourceFunc heard);
  static void drop(One& one);
  void over(const Name& name);

  GMainContext* context_;
  Ears ears_;
  One listening_;
  std::vector<std::unique_ptr<One>> all_;
};

}  // namespace linnet::interop
