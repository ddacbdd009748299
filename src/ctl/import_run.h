// Rows of a file sent to a server, many at once. The reader's thread gives rows with send(); workers post them.
// Guarantees: (1) each row is sent with the key "<run>-<row>", so a repeated run takes no row in twice; (2) an answer
// that asks to wait is waited for, and a lost connection tried again; (3) what is wrong with one row fails that row,
// what is wrong with all of them stops the run: send() says so with false, and cause() tells why; (4) at the end it is
// known of each row that was sent whether it is in, unless the server is away; take_back() removes those that are;
// (5) once is_interrupted() says so, no further row is sent, answers under way are waited for, and cause() tells
// nothing.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "ctl/client.h"
#include "ctl/import_rows.h"
#include "sheet/csv.h"

namespace siegel::ctl {

struct ImportOutcome {
  std::uint64_t taken = 0;
  std::uint64_t repeated = 0;      // were in already from the same run
  std::uint64_t known_people = 0;  // went in for a person who was there before this run
  std::map<std::uint64_t, RowFailure> failures;
  std::string position;  // of the last row that went in
  // By row: that are in; "": nobody can say. Only with Options::stop_at_refusal.
  std::map<std::uint64_t, std::string> records;
};

class ImportRun {
 public:
  struct Row {
    std::uint64_t number = 0;
    std::string body;
    sheet::CsvRow cells;
  };

  struct Options {
    std::string path;             // of the type's records
    std::string run;              // the beginning of each row's key
    std::string default_purpose;  // of the type: used if the token leaves open which, and nobody said
    bool stop_at_refusal = false;
    std::function<bool()> is_interrupted;  // asked from all threads
  };

  ImportRun(const Global& global, Options options);
  ~ImportRun();
  ImportRun(const ImportRun&) = delete;
  ImportRun& operator=(const ImportRun&) = delete;

  bool send(Row row);                                     // waits while all are busy; false: the run has stopped
  void refuse(std::uint64_t number, RowFailure failure);  // a row that is not sent
  ImportOutcome finish();                                 // waits for all rows
  // After finish(): removes the records that are in, unless somebody has changed one meanwhile. Rows that are perhaps
  // in are asked for again first. The number removed.
  std::uint64_t take_back(ImportOutcome& outcome);

  // Why the run stopped, after finish().
  using Cause = std::variant<std::monostate, Answer, Error>;
  [[nodiscard]] const Cause& cause() const noexcept { return cause_; }
  [[nodiscard]] const std::string& path() const noexcept { return options_.path; }

 private:
  void work();
  void work_through();
  void send_first(Row row);
  void join();
  void note_person(const std::string& subject, const std::string& record, bool repeated);
  void note(Row row, const Answer& answer);
  void stop(Cause cause);
  void ask_again(Client& client, ImportOutcome& outcome);
  enum class ReadOnly : bool { give_up, wait };
  Result<Answer> post(Client& client, const Row& row, ReadOnly read_only = ReadOnly::give_up);
  Result<Answer> patiently(Client& client, const Request& request, ReadOnly read_only = ReadOnly::give_up);
  bool pause(std::uint64_t milliseconds);  // false: it is not worth while any more

  bool settle(Row row, Result<Answer> answer);  // false: the run has stopped

  Global global_;  // its purpose is settled by the first row, before there are workers
  const Options options_;
  std::mutex mutex_;
  std::condition_variable room_, news_;
  std::deque<Row> waiting_;
  bool closed_ = false;   // no more rows come
  bool stopped_ = false;  // nor are any sent
  bool hurried_ = false;  // nor is the answer to those that are under way waited for
  ImportOutcome outcome_;
  std::map<std::uint64_t, Row> unsure_;  // perhaps in; as many as were under way
  std::set<std::string> new_people_;     // whom a row of this run brought
  std::vector<std::string> people_met_;  // whom a row met, perhaps one of these
  Cause cause_;
  std::vector<std::thread> workers_;
};

}  // namespace siegel::ctl
