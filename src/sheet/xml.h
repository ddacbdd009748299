// A part of a zip as XML, read to the end or from pause to pause: what is in memory is one chunk and what the handler
// keeps. A document type is refused, so there are no entities; so are nesting and single tags beyond all measure.
// expat stays in xml.cc. Errors: damaged_file, what Zip::read() gives, and what the handler gives to fail().
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "sheet/zip.h"

namespace siegel::sheet {

struct XmlName {
  std::string_view space;  // URI of the namespace
  std::string_view local;
};

// Of one element, in the order of the file; valid during begin().
class XmlAttributes {
 public:
  explicit XmlAttributes(const char** names_and_values) noexcept : at_(names_and_values) {}

  // An attribute without namespace, as all of a spreadsheet's own are in OOXML; empty if there is none.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] std::optional<std::string_view> find(std::string_view space, std::string_view local) const noexcept;
  template <class Visit>  // (XmlName, std::string_view value)
  void for_each(const Visit& visit) const {
    for (const char** at = at_; *at != nullptr; at += 2) visit(split(at[0]), std::string_view(at[1]));
  }

  static XmlName split(const char* name) noexcept;

 private:
  const char** at_;
};

class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual void begin(const XmlName& name, const XmlAttributes& attributes) = 0;
  virtual void end(const XmlName& name) = 0;
  virtual void text(std::string_view text) = 0;  // a piece of it
};

class XmlReader {
 public:
  // Begins with the part that is selected in the zip. Both outlive the reader, and the part stays selected.
  XmlReader(Zip& zip, XmlHandler& handler);
  XmlReader(const XmlReader&) = delete;
  XmlReader& operator=(const XmlReader&) = delete;
  ~XmlReader();

  Result<bool> advance();  // to the next pause; false: to the end of the document, or stop()
  // For the handler, within its calls.
  void pause() noexcept;
  void stop() noexcept;  // the rest is of no interest
  void fail(Error error) noexcept;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// The whole part, where the handler never pauses. The handler learns its reader before anything is read.
template <class Handler>
Status read_xml(Zip& zip, std::string_view part, Handler& handler) {
  SIEGEL_CHECK(zip.select(part));
  XmlReader reader(zip, handler);
  handler.reader = &reader;
  SIEGEL_CHECK(reader.advance());
  return Done{};
}

}  // namespace siegel::sheet
