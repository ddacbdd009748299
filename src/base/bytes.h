// Bytes and their spellings: views, hex, base64 (RFC 4648), big-endian integers.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace siegel {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
template <std::size_t N>
using ByteArray = std::array<std::uint8_t, N>;
using Hash = ByteArray<32>;

inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_chars(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
inline bool equal(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}
// Same time whatever the content; false at once if the lengths differ.
bool equal_constant_time(ByteView a, ByteView b) noexcept;

template <std::size_t N>
ByteArray<N> to_array(ByteView bytes) noexcept {  // bytes.size() must be N
  ByteArray<N> out{};
  if (bytes.size() == N) std::memcpy(out.data(), bytes.data(), N);
  return out;
}

// Big-endian integers, the only byte order on disk and on the wire outside Cap'n Proto.
template <class T>
void put_be(std::uint8_t* at, T value) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
}
template <class T>
T get_be(const std::uint8_t* at) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>((value << 8) | at[i]);
  return value;
}
template <class T>
void append_be(Bytes& to, T value) {
  const auto old = to.size();
  to.resize(old + sizeof(T));
  put_be(to.data() + old, value);
}
template <class T>
ByteArray<sizeof(T)> be(T value) noexcept {
  ByteArray<sizeof(T)> out;
  put_be(out.data(), value);
  return out;
}

std::string to_hex(ByteView bytes);                          // lower case
std::optional<Bytes> from_hex(std::string_view text);        // either case; nothing else
std::string to_base64(ByteView bytes);                       // standard alphabet, padded
std::optional<Bytes> from_base64(std::string_view text);     // strict: padding, no stray bits, no white space
std::string to_base64url(ByteView bytes);                    // URL alphabet, no padding
std::optional<Bytes> from_base64url(std::string_view text);  // strict: no padding, no stray bits

// Reads from the front of a view; every read says whether there was enough. Never reads past the end.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) noexcept : rest_(bytes) {}
  [[nodiscard]] bool take(std::size_t n, ByteView& out) noexcept {
    if (rest_.size() < n) return false;
    out = rest_.first(n);
    rest_ = rest_.subspan(n);
    return true;
  }
  template <class T>
  [[nodiscard]] bool take_be(T& out) noexcept {
    ByteView raw;
    if (!take(sizeof(T), raw)) return false;
    out = get_be<T>(raw.data());
    return true;
  }
  [[nodiscard]] ByteView rest() const noexcept { return rest_; }
  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

 private:
  ByteView rest_;
};

}  // namespace siegel
