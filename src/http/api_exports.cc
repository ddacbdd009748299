// Bulk export: many records of one type as one stream.
#include <algorithm>

#include "base/text.h"
#include "http/api_call.h"
#include "http/csv.h"
#include "http/json_writer.h"

namespace siegel::http {
namespace {

enum class Format : std::uint8_t { json, csv, ndjson };

struct Media {
  std::string_view name;  // in a request, and at the end of the file's
  std::string_view content_type;
};
constexpr Media media_of(Format format) {
  switch (format) {
    case Format::json:
      return {"json", "application/json"};
    case Format::csv:
      return {"csv", kCsvContentType};
    case Format::ndjson:
      return {"ndjson", kNdjsonContentType};
  }
  return {};
}

// One record after the other as text, with what stands before, between and behind them.
class Rendering {
 public:
  explicit Rendering(Format format) : format_(format) {}

  void begin(std::string& out, const service::ExportAnswer& first) const {
    if (format_ == Format::json) out += R"({"items":[)";
    if (format_ != Format::csv) return;
    (out += kCsvMark) += R"("record","subject")";
    for (const auto* field : columns(first))
      append_csv_text(out += ',', field->title.empty() ? field->name : field->title);
    out += "\r\n";
  }
  void add(std::string& out, const service::ExportAnswer& chunk) {
    const auto fields = columns(chunk);
    for (const auto& record : chunk.records.items) {
      if (format_ == Format::csv) {
        add_row(out, record, fields);
        continue;
      }
      if (format_ == Format::json && !std::exchange(is_first_, false)) out += ',';
      JsonWriter json;
      write_record(json, *chunk.records.registries, record);
      out += json.take();
      if (format_ == Format::ndjson) out += '\n';
    }
  }
  // As a list is answered, but with all in one.
  void end(std::string& out, std::string_view position) const {
    if (format_ == Format::json) ((out += R"(],"next":null,"position":")") += position) += R"("})";
  }

 private:
  using Columns = std::vector<const FieldDefinition*>;
  static Columns columns(const service::ExportAnswer& answer) {
    Columns out;
    const auto* type = answer.records.registries->type(answer.records.type);
    for (const auto& name : answer.fields)
      if (const auto* field = type == nullptr ? nullptr : type->definition.field(name)) out.push_back(field);
    return out;
  }
  static void add_row(std::string& out, const service::ShownRecord& record, const Columns& fields) {
    append_csv_text(out, to_text(record.id));
    append_csv_text(out += ',', record.subject ? to_text(*record.subject) : std::string());
    const auto& values = record.values.expose();
    for (const auto* field : fields) {
      const auto found = std::ranges::find(values, field->number, &FieldValue::field);
      append_csv_value(out += ',', field->type, found == values.end() ? Value(Null{}) : found->value.expose());
    }
    out += "\r\n";
  }

  Format format_;
  bool is_first_ = true;
};

// The next chunk is asked for when the one before is in the connection's buffer: a slow reader holds back the work, and
// nobody is looked at for a client who is gone. What fails once the head is sent cuts the connection, so that half of
// an export does not look like all of it. Lives in the callback that goes on with it: the service's while a chunk is
// read, on_writable while the client reads. It holds no service meanwhile, so that the stores can be closed under it.
class ExportStream : public std::enable_shared_from_this<ExportStream> {
 public:
  ExportStream(const Call& call, Format format)
      : service_(call.service), caller_(call.caller), format_(format), rendering_(format) {}

  void open(const CallPtr& call, service::ExportQuery query) {
    const auto type = query.type;
    call->service->export_records(caller_, std::move(query),
                                  [self = shared_from_this(), call, type](Result<service::ExportAnswer> first) {
                                    if (!first) return call->fail(first.error());
                                    self->begin(*call, type, *first);
                                    self->take(std::move(first));
                                  });
  }

 private:
  void begin(const Call& call, const std::string& type, const service::ExportAnswer& first) {
    position_ = call.position_text(first.records.position);
    Response head;
    head.content_type = media_of(format_).content_type;
    head.headers.push_back({"Siegel-Position", position_});
    const auto file = type + "." + std::string(media_of(format_).name);
    head.headers.push_back({"Content-Disposition", "attachment; filename=\"" + file + "\""});
    head.route = call.route;
    StreamOptions options;
    options.on_writable = [self = shared_from_this()] { self->pump(); };
    rendering_.begin(waiting_, first);
    stream_.emplace(call.reply.begin(std::move(head), std::move(options)));
  }

  void take(Result<service::ExportAnswer> chunk) {
    if (!chunk) return stream_.reset();
    rendering_.add(waiting_, *chunk);
    next_ = std::move(chunk->next);
    room_ = std::move(chunk->room);
    if (!next_) rendering_.end(waiting_, position_);
    pump();
  }

  // One at a time: where this returns, either the stream or the service goes on, never both.
  void pump() {
    constexpr std::size_t kPieceBytes = 64 * 1024;
    while (sent_ < waiting_.size()) {
      const auto piece = std::string_view(waiting_).substr(sent_, kPieceBytes);
      const auto flow = stream_->write(piece);
      if (flow == Flow::full) return;
      if (flow == Flow::closed) return stop();
      sent_ += piece.size();
    }
    waiting_.clear();
    sent_ = 0;
    if (!next_) return stream_->finish();
    const auto service = service_.lock();
    if (!service) return stop();
    service->export_records(
        caller_, *std::exchange(next_, std::nullopt),
        [self = shared_from_this()](Result<service::ExportAnswer> chunk) { self->take(std::move(chunk)); });
  }

  void stop() {
    next_.reset();
    room_.reset();
    stream_.reset();
  }

  const std::weak_ptr<service::Service> service_;
  const service::Caller caller_;
  const Format format_;
  Rendering rendering_;
  std::string position_;
  std::string waiting_;   // of the newest chunk
  std::size_t sent_ = 0;  // of it
  std::optional<service::ExportQuery> next_;
  std::shared_ptr<const void> room_;
  std::optional<Stream> stream_;
};

void export_records(const CallPtr& call) {
  SIEGEL_CALL_TRY(object, body_object(*call));
  service::ExportQuery query;
  std::string format(media_of(Format::json).name);
  Members members(object);
  members.required("type").text("type", query.type).texts("fields", query.fields).text("format", format);
  std::optional<Format> chosen;
  for (const auto one : {Format::json, Format::csv, Format::ndjson})
    if (media_of(one).name == format) chosen = one;
  if (!chosen) members.wrong("/format", "format is csv, json or ndjson.");
  auto names = query.fields;
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end())
    members.wrong("/fields", "Each field is named once.");
  SIEGEL_CALL_TRY(done, members.finish());
  if (!is_name(query.type)) return call->fail(not_found());
  std::make_shared<ExportStream>(*call, *chosen)->open(call, std::move(query));
}

}  // namespace

std::vector<Route> export_routes() { return {{Method::post, "/v1/exports", export_records, true, true}}; }

}  // namespace siegel::http
