// Uploads in pieces and watched folders.
#include <condition_variable>
#include <mutex>
#include <thread>

#include <iotstream/catalog/imports.hpp>

#include "unit/catalog/fixture.hpp"

using namespace iotstream;
using namespace iotstream::catalog;

namespace {

constexpr std::string_view csv = "time;speed (km/h);a\n2022-01-01 00:00:01;1,5;x\n2022-01-01 00:00:02;2,5;y\nnever;1;z\n";

struct ImportsFixture : CatalogFixture {
  std::unique_ptr<Imports> imports;
  ImportsOptions options;
  std::vector<std::string> loaded;

  ImportsFixture() { options.directory = folder.path() + "/uploads"; }
  ~ImportsFixture() { imports.reset(); }
  ImportsFixture(const ImportsFixture&) = delete;
  ImportsFixture& operator=(const ImportsFixture&) = delete;

  void open() {
    imports.reset();
    auto opened = Imports::open(options, *catalog, os::real_disk(), clock, metrics);
    if (!opened) FAIL(opened.error().message);
    imports = std::move(*opened);
  }
  ImportStatus settled(std::uint64_t id) {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<ImportStatus> status;
    imports->when_settled(id, [&](const ImportStatus& settled_one) {
      const std::lock_guard lock(mutex);
      status = settled_one;
      done.notify_one();
    });
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return status.has_value(); });
    return *status;
  }
  ImportStatus uploaded(std::string_view content, const std::string& prototype = "X") {
    auto created = imports->create({"a.csv", prototype, {}, {}, {}}, content.size());
    if (!created) FAIL(created.error().message);
    for (std::size_t at = 0; at < content.size(); at += 10)
      REQUIRE(imports->append(created->id, at, as_bytes(content.substr(at, 10))).ok());
    return settled(created->id);
  }
  std::vector<std::string> files_left() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(options.directory)) names.push_back(entry.path().filename());
    return names;
  }
};

}  // namespace

TEST_CASE_METHOD(ImportsFixture, "an upload in pieces is looked at, then accepted") {
  open();
  const ImportStatus looked = uploaded(csv);
  CHECK(looked.state == ImportState::preview);
  REQUIRE(looked.preview);
  CHECK(looked.preview->separator == ';');
  CHECK(looked.preview->rows == 2);
  CHECK(looked.preview->rejected == 1);
  CHECK(looked.preview->columns[1].type == "float");
  CHECK(looked.preview->columns[1].unit == "km/h");
  CHECK(looked.preview->columns[1].samples == std::vector<std::string>{"1,5", "2,5"});
  CHECK_FALSE(catalog->find("X").has_value());
  ImportRequest request;
  request.dataset = "pumps";
  request.label = "Pump";
  REQUIRE(imports->accept(looked.id, request).ok());
  const ImportStatus done = settled(looked.id);
  CHECK(done.state == ImportState::done);
  CHECK(done.report->rows == 2);
  CHECK(catalog->find("X")->dataset == "pumps");
  CHECK(catalog->find("X")->label == "Pump");
  CHECK(rows().size() == 2);
  CHECK(files_left().empty());
  CHECK(imports->accept(looked.id, request).error().kind == ErrorKind::conflict);
  CHECK(imports->list().size() == 1);
}

TEST_CASE_METHOD(ImportsFixture, "pieces that come again are no fault, gaps and too much are told with the place to go on") {
  open();
  auto created = imports->create({"a.csv", "X", {}, {}, {}}, 20);
  REQUIRE(created.ok());
  REQUIRE(imports->append(created->id, 0, as_bytes("0123456789")).ok());
  CHECK(imports->append(created->id, 0, as_bytes("0123456789"))->bytes_received == 10);
  const auto gap = imports->append(created->id, 15, as_bytes("x"));
  CHECK(gap.error().kind == ErrorKind::conflict);
  CHECK(gap.error().message == "10 bytes are here: go on at offset 10, not 15");
  CHECK(imports->append(created->id, 10, as_bytes("01234567890")).error().kind == ErrorKind::too_large);
  CHECK(imports->append(created->id + 1, 0, as_bytes("x")).error().kind == ErrorKind::not_found);
  CHECK(imports->accept(created->id, {}).error().kind == ErrorKind::conflict);
}

TEST_CASE_METHOD(ImportsFixture, "an upload goes on in the next process") {
  open();
  auto created = imports->create({"log of a pump.csv", "X", {}, "Pump", {}}, csv.size());
  REQUIRE(created.ok());
  REQUIRE(imports->append(created->id, 0, as_bytes(csv.substr(0, 30))).ok());
  folder.write("uploads/7-orphan.csv", "x");
  open();
  CHECK(files_left().size() == 2);
  auto again = imports->find(created->id);
  REQUIRE(again.has_value());
  CHECK(again->state == ImportState::receiving);
  CHECK(again->bytes_received == 30);
  CHECK(again->name == "log of a pump.csv");
  REQUIRE(imports->append(created->id, 30, as_bytes(csv.substr(30))).ok());
  CHECK(settled(created->id).state == ImportState::preview);
  open();
  CHECK(settled(created->id).state == ImportState::preview);
  const auto other = imports->create({"b.csv", "X", {}, {}, {}}, 5);
  CHECK(other->id != created->id);
}

TEST_CASE_METHOD(ImportsFixture, "another look by other choices, and one that cannot be") {
  open();
  const ImportStatus looked = uploaded(csv);
  CsvChoices choices;
  choices.separator = ',';
  REQUIRE(imports->look(looked.id, choices).ok());
  CHECK(settled(looked.id).preview->columns.size() == 2);
  CsvChoices wrong;
  wrong.time_column = "no such";
  REQUIRE(imports->look(looked.id, wrong).ok());
  const ImportStatus told = settled(looked.id);
  CHECK(told.state == ImportState::preview);
  CHECK(told.problem == "the file has no column 'no such'");
  CHECK(told.preview->columns.size() == 2);
}

TEST_CASE_METHOD(ImportsFixture, "what is no CSV fails at the look, and its file goes") {
  open();
  const ImportStatus failed = uploaded("{\"a\":1}\n");
  CHECK(failed.state == ImportState::failed);
  CHECK(failed.problem == "a.csv: this is JSON, not CSV: post it as events");
  CHECK(files_left().empty());
}

TEST_CASE_METHOD(ImportsFixture, "limits: too large, nothing, too many, no prototype") {
  options.upload_bytes_max = 100;
  options.open_max = 2;
  open();
  CHECK(imports->create({"a.csv", "X", {}, {}, {}}, 101).error().kind == ErrorKind::too_large);
  CHECK(imports->create({"a.csv", "X", {}, {}, {}}, 0).error().kind == ErrorKind::unprocessable);
  const ImportStatus looked = uploaded(csv.substr(0, 60), "");
  CHECK(imports->accept(looked.id, {}).error().kind == ErrorKind::unprocessable);
  CHECK(imports->create({"a.csv", "X", {}, {}, {}}, 10).ok());
  CHECK(imports->create({"a.csv", "X", {}, {}, {}}, 10).error().kind == ErrorKind::busy);
  REQUIRE(imports->remove(looked.id).ok());
  CHECK(imports->remove(looked.id).error().kind == ErrorKind::not_found);
  CHECK(imports->create({"a.csv", "X", {}, {}, {}}, 10).ok());
}

TEST_CASE_METHOD(ImportsFixture, "an upload that is left alone is removed") {
  open();
  REQUIRE(imports->create({"a.csv", "X", {}, {}, {}}, 10).ok());
  for (const std::string& name : files_left())
    std::filesystem::last_write_time(options.directory + "/" + name,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  open();  // the first thing that a process does is to sweep
  for (int i = 0; i < 500 && !imports->list().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(imports->list().empty());
}

TEST_CASE_METHOD(ImportsFixture, "a whole body is loaded without a preview") {
  open();
  const auto begun = imports->load({"a.csv", "X", {}, {}, {}}, csv);
  REQUIRE(begun.ok());
  CHECK(settled(begun->id).report->rows == 2);
  CHECK(settled(begun->id).report->path == "a.csv");
  CHECK(imports->load({"a.csv", "", {}, {}, {}}, csv).error().kind == ErrorKind::unprocessable);
}

TEST_CASE_METHOD(ImportsFixture, "a watched folder: complete files come in once, growing ones later, broken ones are told") {
  const std::string incoming = folder.path() + "/in";
  std::filesystem::create_directory(incoming);
  config::Watch watch;
  watch.folder = incoming;
  watch.by_name = true;
  watch.dataset = "machines";
  watch.interval = Duration::milliseconds(50);
  watch.settle = Duration::milliseconds(200);
  options.watches = {watch};
  std::mutex mutex;
  options.loaded = [&](const config::Watch&, const std::string& prototype) {
    const std::lock_guard lock(mutex);
    loaded.push_back(prototype);
  };
  // A clock that walks: the folder's stillness is measured on it.
  std::atomic<bool> stopping{false};
  std::thread ticking([&] {
    while (!stopping) {
      clock.advance(Duration::milliseconds(20));
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  const auto wait_for = [&](const std::function<bool()>& true_at_last) {
    for (int i = 0; i < 1000 && !true_at_last(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return true_at_last();
  };
  folder.write("in/X46789_2022.csv", csv);
  folder.write("in/other.txt", csv);
  folder.write("in/.hidden.csv", csv);
  folder.write("in/bad.csv", "{\"a\":1}\n");
  open();
  imports->watch();
  CHECK(wait_for([&] { return catalog->files().size() == 1 && imports->list().size() == 2; }));
  CHECK(catalog->find("X46789")->dataset == "machines");
  CHECK(wait_for([&] {
    const auto list = imports->list();
    return std::any_of(list.begin(), list.end(),
                       [](const ImportStatus& status) { return status.state == ImportState::failed; });
  }));
  // The same again in the next process: the one that is known is left alone, the broken one is told once more.
  open();
  imports->watch();
  CHECK(wait_for([&] { return imports->list().size() == 1 && imports->list()[0].state == ImportState::failed; }));
  // It is repaired, another one comes.
  folder.write("in/bad.csv", csv);
  folder.write("in/Y_1.csv", csv);
  CHECK(wait_for([&] { return catalog->files().size() == 3; }));
  CHECK(std::filesystem::exists(incoming + "/X46789_2022.csv"));
  stopping = true;
  ticking.join();
  imports.reset();
  const std::lock_guard lock(mutex);
  CHECK(loaded.size() == 3);
}
