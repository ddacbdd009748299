// JSON going out: RapidJSON's writer behind a few words, so that only one place knows it.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string>
#include <string_view>

namespace siegel::http {

class JsonWriter {
 public:
  JsonWriter() : writer_(buffer_) {}
  JsonWriter& begin() {
    writer_.StartObject();
    return *this;
  }
  JsonWriter& begin(std::string_view name) {
    key(name);
    return begin();
  }
  JsonWriter& end() {
    writer_.EndObject();
    return *this;
  }
  JsonWriter& list(std::string_view name) {
    key(name);
    writer_.StartArray();
    return *this;
  }
  JsonWriter& list() {
    writer_.StartArray();
    return *this;
  }
  JsonWriter& end_list() {
    writer_.EndArray();
    return *this;
  }
  JsonWriter& key(std::string_view name) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    return *this;
  }
  JsonWriter& text(std::string_view value) {
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    return *this;
  }
  JsonWriter& text(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonWriter& number(std::string_view name, std::uint64_t value) {
    key(name);
    writer_.Uint64(value);
    return *this;
  }
  JsonWriter& flag(std::string_view name, bool value) {
    key(name);
    writer_.Bool(value);
    return *this;
  }
  JsonWriter& flag(bool value) {
    writer_.Bool(value);
    return *this;
  }
  JsonWriter& null(std::string_view name) {
    key(name);
    writer_.Null();
    return *this;
  }
  JsonWriter& null() {
    writer_.Null();
    return *this;
  }
  [[nodiscard]] std::string take() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

}  // namespace siegel::http
