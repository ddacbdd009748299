#include "app/local_rebuild.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <vector>

#include "app/local_job.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/memory.h"
#include "projector/projector.h"

namespace siegel::app {
namespace {

using Digests = std::vector<projector::Projector::Digest>;

constexpr int kDiffers = 3;
constexpr std::uint64_t kProgressEvery = 65'536;
constexpr std::chrono::milliseconds kLook{200};

// One generation of read models, open.
struct Generation {
  std::unique_ptr<Store> store;
  std::unique_ptr<views::Views> views;
  std::unique_ptr<projector::Projector> projector;

  static Result<Generation> open(Core& core, const std::string& name) {
    Generation out;
    SIEGEL_TRY(opened, open_views(core.places, name));
    out.store = std::move(opened);
    out.views = std::make_unique<views::Views>(*out.store);
    SIEGEL_TRY(position, out.views->load_position());
    out.views->advance(position);
    out.projector = projector::Projector::make(*core.ledger, *core.vault, *out.views, {});
    return out;
  }
  void close() {
    projector.reset();
    views.reset();
    store.reset();
  }
};

struct Outcome {
  std::uint64_t position = 0;
  std::string generation;
  Digests now;
  std::optional<Digests> before;
  std::string why_not;  // the code why there are none of before; empty: there never were
};

class Rebuild {
 public:
  explicit Rebuild(const RebuildRun& run) : run_(run), job_(run.data, run.config) {}

  Result<Outcome> carry_out() {
    SIEGEL_CHECK(job_.open());
    SIEGEL_CHECK(choose_generation());
    auto old = open_old();
    std::optional<ledger::SystemReceipt> folding;
    if (old) {
      SIEGEL_TRY(receipt, job_.begin(JobFacts::Kind::projector));
      folding = std::move(receipt);
    }
    SIEGEL_TRY(receipt, job_.begin(JobFacts::Kind::rebuild));
    auto done = compare(old, std::move(folding), receipt);
    if (folding_) job_.end(JobFacts::Kind::projector, folded_);
    job_.end(JobFacts::Kind::rebuild, done ? done->position : 0);
    if (old) old->close();
    if (!done) {
      remove(outcome_.generation);
      return Error(done.error());
    }
    SIEGEL_CHECK(set_views_generation(job_.core().places, done->generation));
    return done;
  }

  // Nothing reads the old rows any more.
  void remove_old() { remove(old_name_); }
  [[nodiscard]] std::filesystem::path old_dir() { return job_.core().places.views() / old_name_; }

 private:
  // The name of the new one; what an earlier rebuild left half done goes.
  Status choose_generation() {
    auto& core = job_.core();
    auto current = views_generation(core.places);
    old_name_ = current ? *current : "";
    outcome_.generation = new_views_generation(core.places);
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(core.places.views(), ignored)) {
      if (entry.path().filename() != old_name_) std::filesystem::remove_all(entry.path(), ignored);
    }
    return Done{};
  }

  std::optional<Generation> open_old() {
    const auto& places = job_.core().places;
    std::error_code ignored;
    if (old_name_.empty() || !std::filesystem::exists(places.views() / old_name_, ignored)) {
      outcome_.why_not.clear();
      return std::nullopt;
    }
    auto opened = Generation::open(job_.core(), old_name_);
    if (!opened) {
      outcome_.why_not = opened.error().code();
      return std::nullopt;
    }
    if (opened->views->position() > job_.core().ledger->size()) {
      outcome_.why_not = "views_ahead";
      return std::nullopt;
    }
    return std::optional<Generation>(std::move(*opened));
  }

  Result<Outcome> compare(std::optional<Generation>& old, std::optional<ledger::SystemReceipt> folding,
                          const ledger::SystemReceipt& receipt) {
    auto& core = job_.core();
    const auto size = core.ledger->size();
    outcome_.position = size.get();
    SecretKey key;
    job_.random.fill(key.mutable_view());
    if (old) {
      auto before = digests_of_old(*old, std::move(*folding), receipt, key);
      if (before) {
        outcome_.before = std::move(*before);
      } else {
        outcome_.why_not = before.error().code();
        if (before.error().category() != Errc::corrupt) return Error(before.error());
      }
    }
    SIEGEL_TRY(made, Generation::open(core, outcome_.generation));
    SIEGEL_CHECK(made.projector->rebuild(receipt, [&](std::uint64_t events) { tell(events, size.get()); }));
    SIEGEL_TRY(now, made.projector->digests(receipt, key));
    outcome_.now = std::move(now);
    made.close();
    return std::move(outcome_);
  }

  // Brought up to the same position first.
  Result<Digests> digests_of_old(Generation& old, ledger::SystemReceipt folding, const ledger::SystemReceipt& receipt,
                                 const SecretKey& key) {
    folding_ = true;
    folded_ = outcome_.position - old.views->position().get();
    SIEGEL_CHECK(old.projector->start(std::move(folding)));
    auto caught_up = wait_for(old);
    old.projector->stop();
    SIEGEL_CHECK(caught_up);
    return old.projector->digests(receipt, key);
  }

  Status wait_for(Generation& old) {
    while (old.views->position().get() < outcome_.position) {
      SIEGEL_CHECK(old.projector->status());
      auto told = std::make_shared<Guarded<bool>>(false);
      old.views->when(TreeSize(outcome_.position), kLook, [told](bool) {
        told->with([](bool& value) { value = true; });
        told->notify_all();
      });
      told->when([](bool value) { return value; }, [](bool) {});
    }
    return Done{};
  }

  void tell(std::uint64_t events, std::uint64_t size) {
    if (run_.speech.quiet || events - told_ < kProgressEvery) return;
    told_ = events;
    std::fprintf(stderr, run_.speech.text("siegel: %llu von %llu Ereignissen\n", "siegel: %llu of %llu events\n"),
                 static_cast<unsigned long long>(events), static_cast<unsigned long long>(size));
  }

  void remove(const std::string& generation) {
    std::error_code ignored;
    if (!generation.empty()) std::filesystem::remove_all(job_.core().places.views() / generation, ignored);
  }

  const RebuildRun& run_;
  StoppedJob job_;
  std::string old_name_;
  Outcome outcome_;
  bool folding_ = false;
  std::uint64_t folded_ = 0;
  std::uint64_t told_ = 0;
};

const projector::Projector::Digest* find(const Digests& digests, const std::string& name) {
  const auto at = std::ranges::find(digests, name, &projector::Projector::Digest::projection);
  return at == digests.end() ? nullptr : &*at;
}

Status check_name(const std::string& projection) {
  const auto names = projector::projection_names();
  if (projection.empty() || std::ranges::find(names, projection) != names.end()) return Done{};
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return Error(Errc::invalid, "bad_value", "There is no projection of that name.").with("projections", all);
}

// Leaves only the one asked for.
void select(Outcome& outcome, const std::string& projection) {
  if (projection.empty()) return;
  const auto others = [&](const auto& digest) { return digest.projection != projection; };
  std::erase_if(outcome.now, others);
  if (outcome.before) std::erase_if(*outcome.before, others);
}

bool same(const Outcome& outcome, const projector::Projector::Digest& now) {
  const auto* before = outcome.before ? find(*outcome.before, now.projection) : nullptr;
  return before != nullptr && before->value == now.value && before->rows == now.rows;
}

std::string to_json(const Outcome& outcome, bool differs) {
  std::string out = "{\"position\":" + std::to_string(outcome.position) + ",\"generation\":\"" + outcome.generation +
                    "\",\"same\":" +
                    (!outcome.before ? "null"
                     : differs       ? "false"
                                     : "true") +
                    ",\"projections\":[";
  for (const auto& now : outcome.now) {
    const auto* before = outcome.before ? find(*outcome.before, now.projection) : nullptr;
    if (out.back() != '[') out += ',';
    out += "{\"name\":\"" + now.projection + "\",\"rows\":" + std::to_string(now.rows) +
           ",\"old\":" + (before != nullptr ? "\"" + to_hex(before->value) + "\"" : "null") + ",\"new\":\"" +
           to_hex(now.value) + "\"}";
  }
  return out + "]}\n";
}

std::string to_text(const Outcome& outcome, const Speech& speech) {
  std::string out;
  for (const auto& now : outcome.now) {
    const auto* before = outcome.before ? find(*outcome.before, now.projection) : nullptr;
    out += now.projection + ": " + std::to_string(now.rows) + speech.text(" Zeilen\n  alt ", " rows\n  old ") +
           (before != nullptr ? to_hex(before->value) : speech.text("keine", "none")) +
           speech.text("\n  neu ", "\n  new ") + to_hex(now.value) +
           (before == nullptr    ? "\n"
            : same(outcome, now) ? speech.text(" gleich\n", " same\n")
                                 : speech.text(" WEICHT AB\n", " DIFFERS\n"));
  }
  return out + speech.text("neu berechnet bei Position ", "rebuilt at position ") + std::to_string(outcome.position) +
         "\n";
}

}  // namespace

int run_rebuild(const RebuildRun& run) {
  if (auto known = check_name(run.projection); !known) return report(known.error(), run.speech);
  forbid_dumps();
  Rebuild rebuild(run);
  auto done = rebuild.carry_out();
  if (!done) return report(done.error(), run.speech);
  select(*done, run.projection);
  const bool differs =
      done->before && std::ranges::any_of(done->now, [&](const auto& now) { return !same(*done, now); });
  std::fputs((run.speech.json ? to_json(*done, differs) : to_text(*done, run.speech)).c_str(), stdout);
  if (!done->before && !run.speech.quiet)
    say(run.speech,
        run.speech.text("keine alten Lesemodelle zum Vergleichen: ", "no old read models to compare with: ") +
            (done->why_not.empty() ? run.speech.text("es gibt keine", "there are none") : done->why_not));
  if (!differs) {
    rebuild.remove_old();
    return 0;
  }
  std::fprintf(
      stderr,
      run.speech.text("siegel: die alten Lesemodelle waren nicht, was das Buch sagt. Von jetzt an gelten die "
                      "neuen; die alten bleiben bis zur nächsten Neuberechnung: %s\n",
                      "siegel: the old read models were not what the ledger says. The new ones count from now on; "
                      "the old ones are kept until the next rebuild: %s\n"),
      rebuild.old_dir().c_str());
  return kDiffers;
}

}  // namespace siegel::app
