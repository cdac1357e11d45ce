# Every target installs what it needs into this directory; the second run is quick.
PYTHON ?= python3
VENV = .venv
VENV3 = .venv-nameko3
VENV_OLDEST = .venv-oldest
VENV_BENCH = .venv-bench
BIN = $(VENV)/bin
PYTEST_ARGS ?=
PORT ?= 8080
N ?= 200
MINUTES ?= 20
SEED ?=
ONLY ?=
JOBS ?= $(if $(filter 1,$(shell nproc)),1,2)
NAMEKO ?= 2
CRASH_VENV = $(if $(filter 3%,$(NAMEKO)),$(VENV3),$(VENV))

.PHONY: help bench bench-fake bench-transport bench-work crash defects fuzz simulate soak demo coverage test-oldest test test-pure test-client test-salesforce test-fake test-integration test-nameko2 test-nameko3 test-properties interop interop-java static fake fake-cometd format diagram build clean
.DEFAULT_GOAL := help

help:  ## print the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# --- environments -----------------------------------------------------------------------------

.PHONY: python-packages
python-packages:
	@tools/system-packages '$(PYTHON) -c "import venv, ensurepip"=python3-venv'

$(VENV)/.installed: setup.py constraints.txt requirements-dev.txt | python-packages
	@echo "Installing Python packages into $(VENV) (Nameko 2.14)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -r requirements-dev.txt -e '.[fake]' nameko==2.14.1
	@touch $@

$(VENV3)/.installed: setup.py constraints.txt requirements-dev.txt | python-packages
	@echo "Installing Python packages into $(VENV3) (Nameko 3.0rc)"
	@$(PYTHON) -m venv $(VENV3)
	@$(VENV3)/bin/pip install -q --disable-pip-version-check -c constraints.txt -r requirements-dev.txt -e '.[fake]' nameko==3.0.0rc11
	@touch $@

$(VENV_OLDEST)/.installed: setup.py constraints-oldest.txt | python-packages
	@echo "Installing Python packages into $(VENV_OLDEST) (the oldest that setup.py allows)"
	@$(PYTHON) -m venv $(VENV_OLDEST)
	@$(VENV_OLDEST)/bin/pip install -q --disable-pip-version-check -c constraints-oldest.txt -e '.[fake]' \
		hypothesis proxy.py pytest pytest-timeout 'setuptools<81' trustme
	@touch $@

$(VENV_BENCH)/.installed: setup.py constraints.txt benchmarks/requirements.txt | python-packages
	@echo "Installing Python packages into $(VENV_BENCH) (those that are compared)" >&2
	@$(PYTHON) -m venv $(VENV_BENCH)
	@$(VENV_BENCH)/bin/pip install -q --disable-pip-version-check -c constraints.txt -r benchmarks/requirements.txt \
		-e '.[fake]' nameko==2.14.1 'setuptools<81'
	@touch $@

# The tests start a broker of their own from it.
.PHONY: rabbitmq
rabbitmq:
	@tools/system-packages 'test -x /usr/lib/rabbitmq/bin/rabbitmq-server=rabbitmq-server'

# The tests start a server of their own from it.
.PHONY: redis
redis:
	@tools/system-packages 'redis-server --version=redis-server'

.PHONY: git
git:
	@tools/system-packages 'git --version=git'

# The commands of the user guide are run.
.PHONY: shell-tools
shell-tools:
	@tools/system-packages 'curl --version=curl' 'openssl version=openssl'

tests/interop/node_modules/.installed: tests/interop/package.json tests/interop/package-lock.json
	@tools/system-packages 'node --version=nodejs' 'npm --version=npm'
	@echo "Installing Node packages into tests/interop/node_modules"
	@cd tests/interop && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# --- what a user runs -------------------------------------------------------------------------

demo: $(VENV)/.installed  ## run a service against the fake org and show the events it handles
	@$(BIN)/python examples/demo.py

fake: $(VENV)/.installed  ## run the fake org until Ctrl-C, on port 8080 or PORT=...
	@$(BIN)/fake-salesforce --port $(PORT)

fake-cometd: $(VENV)/.installed  ## the same as a plain CometD server
	@$(BIN)/fake-salesforce --profile vanilla --port $(PORT)

# Each is a process with servers of its own, on ports that it is given. The longest first, and another between the
# two with Nameko, whose heaviest tests then do not meet.
PARTS = test-nameko2 test-salesforce test-nameko3 test-client test-pure test-fake test-properties

# What several parts need is installed before.
test: $(VENV)/.installed $(VENV3)/.installed | shell-tools git rabbitmq redis  ## run all tests that need Python, Redis and RabbitMQ alone, JOBS=2 parts at a time
	@echo "$(words $(PARTS)) parts, $(JOBS) at a time; each is shown when it has ended"
	@$(MAKE) --no-print-directory --jobs=$(JOBS) --output-sync=target $(PARTS)

simulate: $(VENV)/.installed  ## live through N=200 drawn lives of a service without I/O, from SEED=1 on; N=100000 shows all
	@$(BIN)/python -W ignore -m tests.properties.simulate --n $(N) $(if $(SEED),--seed $(SEED)) $(SIMULATE_ARGS)

crash: $(CRASH_VENV)/.installed | redis  ## kill a service N=200 times and count lost events; SEED=... again, NAMEKO=3
	@$(CRASH_VENV)/bin/python -W ignore -m tests.crash --kills $(N) $(if $(SEED),--seed $(SEED))

defects: $(VENV)/.installed | redis git  ## put each defect of the old packages back and see its test turn red; ONLY=D1,S3
	@$(BIN)/python -W ignore -m tests.defects $(if $(ONLY),--only $(ONLY))

soak: $(CRASH_VENV)/.installed | redis  ## let a service live MINUTES=20 in bad weather, 20 times as fast; SEED=... again, NAMEKO=3
	@$(CRASH_VENV)/bin/python -W ignore -m tests.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

fuzz: $(VENV)/.installed  ## feed all that reads with bad input for MINUTES=5; SEED=... again
	@$(BIN)/python -W ignore -m tests.fuzz --minutes $(if $(filter command line,$(origin MINUTES)),$(MINUTES),5) $(if $(SEED),--seed $(SEED))

interop: $(VENV)/.installed tests/interop/node_modules/.installed  ## run the tests against the CometD and faye programs (Node)
	$(BIN)/python -m pytest tests/interop $(PYTEST_ARGS)

tests/interop/java/target/.built: tests/interop/java/pom.xml $(wildcard tests/interop/java/src/main/java/interop/*.java)
	@tools/system-packages 'javac -version=default-jdk-headless' 'mvn --version=maven'
	@echo "Building the Java programs in tests/interop/java"
	@cd tests/interop/java && mvn -q -B compile dependency:copy-dependencies -DoutputDirectory=target/libraries
	@touch $@

interop-java: $(VENV)/.installed tests/interop/java/target/.built  ## the same against the CometD programs for Java, and a service against replay of theirs
	$(BIN)/python -m pytest tests/interop --java $(PYTEST_ARGS)

# --- parts of `make test` ---------------------------------------------------------------------

test-pure: $(VENV)/.installed | shell-tools git  ## the quick ones: without sockets, packaging, documents
	$(BIN)/python -m pytest tests/bayeux/pure tests/project $(PYTEST_ARGS)

test-fake: $(VENV)/.installed | shell-tools  ## the fake server
	$(BIN)/python -m pytest tests/fake $(PYTEST_ARGS)

test-client: $(VENV)/.installed  ## transport and client on real sockets
	$(BIN)/python -m pytest tests/bayeux/sockets tests/bayeux/client $(PYTEST_ARGS)

test-salesforce: $(VENV)/.installed | redis  ## login, REST, PushTopics, streaming and positions, without Nameko containers
	$(BIN)/python -m pytest tests/salesforce tests/streaming tests/replay tests/api $(PYTEST_ARGS)

test-properties: $(VENV)/.installed  ## session, channels, store and fake broker under a virtual clock, with faults; bad input
	$(BIN)/python -m pytest tests/properties tests/fuzz $(PYTEST_ARGS)

test-integration: test-nameko2 test-nameko3  ## real Nameko containers, 2.14.1 and 3.0.0rc11, RabbitMQ and Redis

test-nameko2: $(VENV)/.installed | rabbitmq redis  ## the same with 2.14.1 alone
	$(BIN)/python -m pytest tests/integration $(PYTEST_ARGS)

test-nameko3: $(VENV3)/.installed | rabbitmq redis  ## the same with 3.0.0rc11 alone
	$(VENV3)/bin/python -m pytest tests/integration $(PYTEST_ARGS)

test-oldest: $(VENV_OLDEST)/.installed | redis  ## client, positions and fake with the oldest packages that setup.py allows
	$(VENV_OLDEST)/bin/python -m pytest tests/bayeux tests/fake $(PYTEST_ARGS)
	$(VENV_OLDEST)/bin/python -m pytest tests/salesforce tests/streaming tests/replay tests/api $(PYTEST_ARGS)

# --- upkeep -----------------------------------------------------------------------------------

static: $(VENV)/.installed  ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy nameko_salesforce tests/typing
	cd tests && ../$(BIN)/mypy --config-file ../pyproject.toml -p fake_server
	$(BIN)/lint-imports

format: $(VENV)/.installed  ## let ruff format and sort
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: $(VENV)/.installed  ## branch coverage of the library, by its pure, socket and client tests
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests/bayeux $(PYTEST_ARGS)
	$(BIN)/coverage report

diagram: $(VENV)/.installed  ## draw the state diagrams from the tables into docs/
	$(BIN)/python tools/diagram.py

bench: $(VENV_BENCH)/.installed tests/interop/node_modules/.installed | redis  ## speed and memory next to others, and all targets: 20 minutes; QUICK=1, ONLY=ours,100
	@$(VENV_BENCH)/bin/python -W ignore -m benchmarks $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(BENCH_ARGS)

bench-fake: $(VENV)/.installed  ## hold 2,000 polls at the fake: memory for each, time of one broadcast
	$(BIN)/python benchmarks/held_polls.py

bench-transport: $(VENV)/.installed  ## CPU of one exchange and of decoding, next to the least that can be done
	$(BIN)/python benchmarks/transport.py

bench-work: $(VENV)/.installed  ## CPU of an event from its arrival to its position, handlers apart
	@$(BIN)/python -W ignore benchmarks/channel_work.py

build: $(VENV)/.installed  ## build wheel and sdist into dist/
	$(BIN)/python -m build

clean:  ## remove environments and caches
	rm -rf $(VENV) $(VENV3) $(VENV_OLDEST) $(VENV_BENCH) build dist *.egg-info tests/interop/node_modules tests/interop/java/target .hypothesis .mypy_cache .ruff_cache
