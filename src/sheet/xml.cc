#include "sheet/xml.h"

#include <expat.h>

#include <cstdint>

#include "base/assert.h"

namespace siegel::sheet {
namespace {

constexpr int kChunkBytes = 64 * 1024;
constexpr unsigned kDepthMax = 256;
constexpr std::int64_t kTokenBytesMax = 1024 * 1024;  // a tag, with its attributes, or a comment
constexpr char kSeparator = '\n';                     // between namespace and name; in neither of both

// Expat 2.9 gave its positions 64 bits on every system, under new names, and warns of the old ones.
std::int64_t position(XML_Parser parser) {
#if XML_MAJOR_VERSION > 2 || (XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION >= 9)
  return XML_GetCurrentByteIndex64(parser);
#else
  return XML_GetCurrentByteIndex(parser);
#endif
}

Error damaged(const char* what) { return Error(Errc::invalid, "damaged_file", what); }

}  // namespace

struct XmlReader::Impl {
  Impl(Zip& from, XmlHandler& to) : zip(from), handler(to), parser(XML_ParserCreateNS(nullptr, kSeparator)) {
    SIEGEL_ASSERT(parser != nullptr);
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, begin, end);
    XML_SetCharacterDataHandler(parser, text);
    XML_SetStartDoctypeDeclHandler(parser, doctype);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { XML_ParserFree(parser); }

  // After a stop expat may still tell of the end of an empty element; the handler hears nothing more after an error.
  static void XMLCALL begin(void* self, const char* name, const char** attributes) noexcept {
    auto& me = *static_cast<Impl*>(self);
    if (me.over()) return;
    if (++me.depth > kDepthMax) return me.give_up(damaged("A part of the file is nested too deep."));
    me.handler.begin(XmlAttributes::split(name), XmlAttributes(attributes));
  }
  static void XMLCALL end(void* self, const char* name) noexcept {
    auto& me = *static_cast<Impl*>(self);
    if (me.over()) return;
    --me.depth;
    me.handler.end(XmlAttributes::split(name));
  }
  static void XMLCALL text(void* self, const char* text, int size) noexcept {
    auto& me = *static_cast<Impl*>(self);
    if (!me.over()) me.handler.text({text, static_cast<std::size_t>(size)});
  }
  static void XMLCALL doctype(void* self, const char*, const char*, const char*, int) noexcept {
    static_cast<Impl*>(self)->give_up(
        damaged("A part of the file defines a document type, which no spreadsheet does."));
  }

  [[nodiscard]] bool over() const noexcept { return error.has_value() || stopped; }
  void give_up(Error why) noexcept {
    if (over()) return;
    error = std::move(why);
    XML_StopParser(parser, XML_FALSE);
  }

  Zip& zip;
  XmlHandler& handler;
  XML_Parser parser;
  std::optional<Error> error;
  std::int64_t fed = 0;
  unsigned depth = 0;
  bool suspended = false;
  bool final = false;
  bool stopped = false;
};

XmlName XmlAttributes::split(const char* name) noexcept {
  const std::string_view whole(name);
  const auto separator = whole.rfind(kSeparator);
  if (separator == std::string_view::npos) return {{}, whole};
  return {whole.substr(0, separator), whole.substr(separator + 1)};
}

std::optional<std::string_view> XmlAttributes::find(std::string_view name) const noexcept {
  for (const char** at = at_; *at != nullptr; at += 2)
    if (name == at[0]) return at[1];
  return std::nullopt;
}

std::optional<std::string_view> XmlAttributes::find(std::string_view space, std::string_view local) const noexcept {
  for (const char** at = at_; *at != nullptr; at += 2) {
    const auto name = split(at[0]);
    if (name.local == local && name.space == space) return at[1];
  }
  return std::nullopt;
}

XmlReader::XmlReader(Zip& zip, XmlHandler& handler) : impl_(std::make_unique<Impl>(zip, handler)) {}
XmlReader::~XmlReader() = default;

void XmlReader::pause() noexcept {
  if (!impl_->over()) XML_StopParser(impl_->parser, XML_TRUE);
}

void XmlReader::stop() noexcept {
  if (impl_->over()) return;
  impl_->stopped = true;
  XML_StopParser(impl_->parser, XML_FALSE);
}

void XmlReader::fail(Error error) noexcept { impl_->give_up(std::move(error)); }

Result<bool> XmlReader::advance() {
  auto& me = *impl_;
  while (!me.stopped) {
    if (me.error) return Error(*me.error);
    XML_Status status = XML_STATUS_ERROR;
    if (me.suspended) {
      status = XML_ResumeParser(me.parser);
    } else if (me.final) {
      return false;
    } else {
      void* const buffer = XML_GetBuffer(me.parser, kChunkBytes);
      if (buffer == nullptr) return Error(Errc::unavailable, "internal", "There is no memory left.");
      SIEGEL_TRY(got, me.zip.read({static_cast<char*>(buffer), std::size_t{kChunkBytes}}));
      me.final = got == 0;
      me.fed += static_cast<std::int64_t>(got);
      status = XML_ParseBuffer(me.parser, static_cast<int>(got), me.final ? XML_TRUE : XML_FALSE);
    }
    me.suspended = status == XML_STATUS_SUSPENDED;
    if (me.error) return Error(*me.error);
    if (me.stopped) return false;
    if (me.suspended) return true;
    if (status == XML_STATUS_ERROR) return damaged("A part of the file is not well-formed XML.");
    // Without this, expat would look at one endless tag from its beginning with each chunk.
    const auto seen = position(me.parser);
    if (seen >= 0 && me.fed - seen > kTokenBytesMax) return damaged("A part of the file has a tag without end.");
  }
  return false;
}

}  // namespace siegel::sheet
