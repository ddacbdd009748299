// Private to codec: Cap'n Proto messages <-> canonical bytes (one segment, no framing). Not included by other modules.
#pragma once

#include <capnp/message.h>
#include <kj/exception.h>

#include <exception>

#include "base/bytes.h"
#include "base/error.h"

namespace siegel::codec {

using Words = kj::ArrayPtr<const capnp::word>;

// Builds one message in the thread's scratch memory, which is zero again when the draft is gone. One draft per thread
// at a time. Usage: Draft draft; auto root = draft.root<schema::X>(); …; draft.finish(…).
class Draft {
 public:
  Draft();
  ~Draft() noexcept;
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  template <class T>
  typename T::Builder root() {
    return message_.initRoot<T>();
  }

  // The canonical form; the draft cannot be built on afterwards.
  // Objects must have been made in the order of their pointers, each once.
  // finish_flat: the root holds only numbers, Data and lists of numbers.
  // finish: any message; rebuilds the rare one that is not canonical as built.
  ByteView finish_flat();
  ByteView finish();

 private:
  bool shrink_root();  // false: more than one segment, or nothing in it

  capnp::MallocMessageBuilder message_;
  kj::Array<capnp::word> rebuilt_;
  std::size_t words_ = 0;
};

// Opens untrusted bytes: aligned, bounded in depth and size. The bytes must outlive it unless they were copied.
class Opened {
 public:
  explicit Opened(ByteView bytes);  // bytes.size() is a multiple of 8, at least 8
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  template <class T>
  typename T::Reader root() {
    return reader_.getRoot<T>();
  }

 private:
  static constexpr std::size_t kInlineWords = 64;

  Words align(ByteView bytes);

  std::uint64_t inline_[kInlineWords];
  kj::Array<capnp::word> copy_;
  Words segment_[1];
  capnp::SegmentArrayMessageReader reader_;
};

// KJ reports damage by exceptions; they end here. f returns a Result, damaged() the Error.
template <class F, class D>
auto guarded(F&& f, D&& damaged) -> decltype(f()) {
  try {
    return f();
  } catch (const kj::Exception&) {
    return damaged();
  } catch (const std::exception&) {
    return damaged();
  }
}

inline kj::ArrayPtr<const kj::byte> data_of(ByteView bytes) { return {bytes.data(), bytes.size()}; }
inline ByteView view_of(kj::ArrayPtr<const kj::byte> data) { return {data.begin(), data.size()}; }

}  // namespace siegel::codec
