#include "bench/served.h"

#include <algorithm>
#include <cstdio>

#include "bench/storage.h"

namespace siegel::bench {
namespace {

constexpr unsigned kConnections = 64;

struct Person {
  std::string record;
  std::string subject;
};

std::string add_request(const Site& site, std::uint64_t number) {
  return editor_request(site, "POST", "/v1/record-types/contacts/records",
                        "{\"values\":{" + person_values(number) + "}}");
}

std::string change_request(const Site& site, const std::string& record, std::uint64_t number) {
  char body[96];
  std::snprintf(body, sizeof body, R"({"values":{"street":"Neue Gasse %llu"}})",
                static_cast<unsigned long long>(number));
  return editor_request(site, "PATCH", "/v1/records/" + record, body);
}

// Adds so many people.
class Adding final : public Script {
 public:
  Adding(const Site& site, std::uint64_t people) : site_(site), people_(people) {}
  std::string_view next(unsigned) override {
    if (next_ == people_) return {};
    return request_ = add_request(site_, next_++);
  }
  void answered(unsigned, const Answer& answer) override {
    if (answer.status == 201)
      added.push_back({std::string(member(answer.body, "record")), std::string(member(answer.body, "subject"))});
  }
  std::vector<Person> added;

 private:
  const Site& site_;
  std::uint64_t people_;
  std::uint64_t next_ = 0;
  std::string request_;
};

// Each connection adds a new person, then changes it, and so on: half and half.
class AddingAndChanging final : public Script {
 public:
  AddingAndChanging(const Site& site, std::uint64_t first) : site_(site), next_(first), records_(kConnections) {}
  std::string_view next(unsigned connection) override {
    auto& record = records_[connection];
    request_ = record.empty() ? add_request(site_, next_++) : change_request(site_, record, next_);
    record.clear();
    return request_;
  }
  void answered(unsigned connection, const Answer& answer) override {
    if (answer.status == 201) records_[connection] = member(answer.body, "record");
  }
  [[nodiscard]] std::uint64_t next_number() const { return next_; }

 private:
  const Site& site_;
  std::uint64_t next_;
  std::vector<std::string> records_;
  std::string request_;
};

// Changes or reads people, one after the other in an order without pattern.
class Visiting final : public Script {
 public:
  enum class How : bool { change, read };
  Visiting(const Site& site, const std::vector<Person>& people, How how) : site_(site), people_(people), how_(how) {}
  std::string_view next(unsigned) override {
    constexpr std::uint64_t kStride = 7'919;  // a prime
    const auto& person = people_[next_++ * kStride % people_.size()];
    request_ = how_ == How::change ? change_request(site_, person.record, next_)
                                   : editor_request(site_, "GET", "/v1/records/" + person.record);
    return request_;
  }
  void answered(unsigned, const Answer&) override {}

 private:
  const Site& site_;
  const std::vector<Person>& people_;
  How how_;
  std::uint64_t next_ = 0;
  std::string request_;
};

// Erases people one at a time, each answered when unreadable.
class Erasing final : public Script {
 public:
  Erasing(const Site& site, const std::vector<Person>& people, std::size_t count)
      : site_(site), people_(people), left_(std::min(count, people.size())) {}
  std::string_view next(unsigned) override {
    if (left_ == 0) return {};
    const auto body =
        "{\"subject\":\"" + people_[--left_].subject + R"(","classes":"all","ground":"art17-1-b","mode":"now"})";
    request_ =
        make_request({.method = "POST", .path = "/v1/erasures", .token = site_.admin, .purpose = {}, .body = body});
    return request_;
  }
  void answered(unsigned, const Answer&) override {}

 private:
  const Site& site_;
  const std::vector<Person>& people_;
  std::size_t left_;
  std::string request_;
};

class Searching final : public Script {
 public:
  explicit Searching(const Site& site) : site_(site) {}
  std::string_view next(unsigned) override {
    constexpr std::uint64_t kStride = 7'919;
    constexpr const char* kBodies[] = {
        R"({"where":[{"field":"e-mail","op":"prefix","value":"Adelheid.%04llx"}],"limit":20})",
        R"({"where":[{"field":"name","op":"exact","value":"ADELHEID MUSTERFRAU %08llx"},)"
        R"({"field":"city","op":"prefix","value":"neu"}],"limit":20})",
        R"({"where":[{"field":"customer-number","op":"prefix","value":"k-%010llu"}],"limit":20})"};
    const auto number = next_++ * kStride;
    char body[256];
    std::snprintf(body, sizeof body, kBodies[number % 3],
                  static_cast<unsigned long long>(number % 3 == 0 ? number % 65'536 : number % 1'024));
    return request_ = editor_request(site_, "POST", "/v1/record-types/contacts/search", body);
  }
  void answered(unsigned, const Answer&) override {}

 private:
  const Site& site_;
  std::uint64_t next_ = 0;
  std::string request_;
};

double ms_of(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

Result<Driven> drive_all(const Site& site, Script& script, const Load& load) {
  SIEGEL_TRY(driven, drive(site.server->port(), script, load));
  if (driven.failed > 0)
    return Error(Errc::unavailable, "request_refused", "The server refused requests of the benchmark.")
        .with("requests", driven.failed)
        .with("status", driven.failed_status)
        .with("code", driven.failed_code);
  return driven;
}

Result<Driven> warm_and_drive(const Site& site, Script& script, unsigned connections, const ServedTimes& times) {
  SIEGEL_CHECK(drive_all(site, script, {.connections = connections, .time = times.warm_up}));
  return drive_all(site, script, {.connections = connections, .time = times.measured});
}

Status measure_commands(const Site& site, const ServedTimes& times, Served& out) {
  SIEGEL_TRY(sync, sync_latency(site.data.parent_path()));
  out.sync_commands = sync;
  AddingAndChanging script(site, times.people);
  SIEGEL_CHECK(drive_all(site, script, {.connections = kConnections, .time = times.warm_up}));
  const auto cpu = site.server->cpu_seconds();
  SIEGEL_TRY(driven, drive_all(site, script, {.connections = kConnections, .time = times.measured}));
  out.commands_per_s = driven.per_second();
  out.commands_p99_ms = ms_of(driven.p99);
  out.cpu_us_per_command = (site.server->cpu_seconds() - cpu) * 1e6 / static_cast<double>(driven.answers);
  return Done{};
}

}  // namespace

Result<Served> measure_served(Site& site, const ServedTimes& times, const ServedWants& wants) {
  SIEGEL_CHECK(site.start());
  Adding adding(site, times.people);
  SIEGEL_CHECK(drive_all(site, adding, {.connections = kConnections}));
  const auto& people = adding.added;
  Served out;
  if (wants.commands) SIEGEL_CHECK(measure_commands(site, times, out));
  if (wants.single) {
    SIEGEL_TRY(sync, sync_latency(site.data.parent_path()));
    out.sync_single = sync;
    Visiting script(site, people, Visiting::How::change);
    SIEGEL_TRY(driven, warm_and_drive(site, script, 1, times));
    out.single_per_s = driven.per_second();
  }
  if (wants.reads) {
    SIEGEL_TRY(sync, sync_latency(site.data.parent_path()));
    out.sync_reads = sync;
    Visiting script(site, people, Visiting::How::read);
    SIEGEL_TRY(driven, warm_and_drive(site, script, kConnections, times));
    out.reads_per_s = driven.per_second();
    out.reads_p99_ms = ms_of(driven.p99);
  }
  if (wants.erase) {
    SIEGEL_TRY(sync, sync_latency(site.data.parent_path()));
    out.sync_erase = sync;
    Erasing script(site, people, times.erasures);
    SIEGEL_TRY(driven, drive_all(site, script, {.connections = 1}));
    out.erase_p99_ms = ms_of(driven.p99);
  }
  site.stop();
  return out;
}

Result<Searched> measure_search(Site& site, const ServedTimes& times) {
  constexpr unsigned kSearchers = 8;
  const auto begin = std::chrono::steady_clock::now();
  SIEGEL_CHECK(site.start());
  Searched out;
  out.load_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  Searching script(site);
  SIEGEL_TRY(driven, warm_and_drive(site, script, kSearchers, times));
  out.p99_ms = ms_of(driven.p99);
  site.stop();
  return out;
}

Result<double> measure_memory(const Site& site, const ServedTimes& times) {
  Adding adding(site, times.people);
  SIEGEL_CHECK(drive_all(site, adding, {.connections = kConnections}));
  Visiting script(site, adding.added, Visiting::How::read);
  SIEGEL_CHECK(warm_and_drive(site, script, kConnections, times));
  return site.server->peak_rss_mib();
}

Result<double> measure_open(Site& site, const RecordId& record) {
  const auto path = "/v1/records/" + to_text(record);
  const auto begin = std::chrono::steady_clock::now();
  SIEGEL_TRY(server, Server::start(site.program, site.data));
  site.server = std::move(server);
  const auto port = site.server->port();
  SIEGEL_CHECK(call(port, {.method = "PATCH",
                           .path = path,
                           .token = site.editor,
                           .purpose = kPurpose,
                           .body = R"({"values":{"street":"Neue Gasse 1"}})"}));
  SIEGEL_CHECK(call(port, {.method = "GET", .path = path, .token = site.editor, .purpose = kPurpose, .body = {}}));
  return ms_of(std::chrono::steady_clock::now() - begin);
}

}  // namespace siegel::bench
