"""Packaging of nameko-salesforce.

Two import packages leave this tree: the library, and the fake server (`fake_salesforce`), which
lives under `tests/` because it proves the library and is installed because users develop against it.
"""

from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent

setup(
    name='nameko-salesforce',
    version='2.0.0.dev0',
    description='Salesforce Streaming API entrypoints for Nameko, on a Bayeux client of its own',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    python_requires='>=3.11',
    packages=[
        'nameko_salesforce',
        'nameko_salesforce.api',
        'nameko_salesforce.bayeux',
        'nameko_salesforce.replay',
        'nameko_salesforce.streaming',
        'fake_salesforce',
        'fake_salesforce.org',
    ],
    package_dir={
        'nameko_salesforce': 'nameko_salesforce',
        'fake_salesforce': 'tests/fake_server',
    },
    package_data={
        'nameko_salesforce': ['py.typed'],
        'fake_salesforce': ['py.typed'],
        'fake_salesforce.org': ['default.yaml'],
    },
    install_requires=[
        # The bounds are the oldest with which the tests pass on Python 3.11 (`make test-oldest`).
        # eventlet 0.35.1 does not report an unknown host as one; aiohttp 3.8 breaks off connections.
        'eventlet>=0.35.2',
        'nameko>=2.14.1,<4',
        # Reads the JSON of the stream, twice as quick as the standard library. 0.18 reads some whole numbers
        # above 64 bits wrongly.
        'msgspec>=0.19.0',
        # Login and REST. simple-salesforce 1.12.5 is the first without a pin on an old PyJWT.
        'PyJWT[crypto]>=2.4',
        # Positions and dead letters. 5.0 is the first that lets a client choose the protocol.
        'redis>=5.0',
        'requests>=2.31',
        'simple-salesforce>=1.12.6',
    ],
    extras_require={
        # The fake server is a program of its own; a production image does not need it.
        'fake': ['aiohttp>=3.9', 'lark>=1.1.9', 'PyYAML>=6.0.1'],
    },
    entry_points={
        'console_scripts': ['fake-salesforce = fake_salesforce.__main__:main'],
        'pytest11': ['fake_salesforce = fake_salesforce.pytest_plugin'],
    },
    classifiers=[
        'Development Status :: 3 - Alpha',
        'Intended Audience :: Developers',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: System :: Networking',
        'Typing :: Typed',
    ],
)
