"""Documents in Parameter Store: read with what is needed to write them back as they were, and never
over somebody else's change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from ..aws_errors import is_throttled
from ..errors import CliError, ExitCode
from .document import DocumentName
from .limits import ADVANCED_BYTES, STANDARD_BYTES

NAMES_AT_ONCE = 10  # GetParameters' limit
SECURE = "SecureString"


@dataclass(frozen=True)
class Stored:
    """A document as it is stored.

    `error`: the code with which AWS refused to decrypt it; its text is empty then.
    """

    name: DocumentName
    parameter: str
    text: str = field(repr=False)
    type: str
    version: int
    error: str | None = None

    @property
    def secure(self) -> bool:
        return self.type == SECURE

    @property
    def limit(self) -> int:
        """How many bytes it takes: more where it holds more already, as an advanced parameter."""
        return ADVANCED_BYTES if len(self.text.encode()) > STANDARD_BYTES else STANDARD_BYTES


@dataclass(frozen=True)
class Snapshot:
    """Everything below the path: documents by name, and parameters that are none."""

    documents: Mapping[DocumentName, Stored]
    unknown: tuple[str, ...] = ()

    def demand_readable(self) -> None:
        """Raises CliError when a document could not be decrypted: what is not seen can be neither
        compared nor judged.
        """
        if sealed := [stored for stored in self.documents.values() if stored.error]:
            raise CliError(
                f"{sealed[0].parameter}: the SecureString cannot be decrypted: {sealed[0].error}"
                + (f" (and {len(sealed) - 1} more)" if len(sealed) > 1 else ""),
                remedy="You need ssm:GetParameters on it, and kms:Decrypt on its key.",
                exit_code=ExitCode.AWS,
            )


def list_parameters(ssm: Any, root: str) -> Iterator[Mapping[str, Any]]:
    """Yield every parameter below `root` as GetParametersByPath gives it, without decryption."""
    pages = ssm.get_paginator("get_parameters_by_path")
    for page in pages.paginate(Path=root, Recursive=True, WithDecryption=False):
        yield from page["Parameters"]


class Store:
    """The documents below `root`. `ssm`: a client of the stack's region."""

    def __init__(self, ssm: Any, root: str) -> None:
        self._ssm = ssm
        self.root = root

    def read(self) -> Snapshot:
        """All of them. A SecureString that may not be decrypted is there, with its error."""
        found = {one["Name"]: one for one in list_parameters(self._ssm, self.root)}
        names = {
            parameter: DocumentName.of_parameter(parameter, root=self.root) for parameter in found
        }
        texts: dict[str, str | ClientError] = {}
        secure = [
            parameter
            for parameter, name in names.items()
            if name and found[parameter]["Type"] == SECURE
        ]
        for batch in batched(secure, NAMES_AT_ONCE, strict=False):
            texts |= self._decrypted(batch)
        names = {
            parameter: name
            for parameter, name in names.items()
            if parameter not in secure or parameter in texts
        }  # else deleted since
        documents = {
            name: _stored(name, found[parameter], texts.get(parameter))
            for parameter, name in names.items()
            if name
        }
        return Snapshot(
            documents, tuple(sorted(parameter for parameter, name in names.items() if name is None))
        )

    def get(self, name: DocumentName) -> Stored | None:
        """One of them; None when it is not there."""
        try:
            one = self._ssm.get_parameter(Name=name.parameter(self.root), WithDecryption=True)[
                "Parameter"
            ]
        except self._ssm.exceptions.ParameterNotFound:
            return None
        return _stored(name, one, None)

    def put(
        self, name: DocumentName, text: str, *, before: Stored | None, key_id: str | None = None
    ) -> None:
        """Writes a document over `before` (None: a new one, encrypted under `key_id` where one is
        given).

        Its type, key, description, tier and tags stay. Raises CliError when somebody else has
        written it meanwhile.
        """
        parameter = name.parameter(self.root)
        if before is None:
            self._create(name, text, key_id)
            return
        now = self.get(name)
        if now is None or now.version != before.version:
            raise _changed_meanwhile(
                parameter,
                (
                    "deleted"
                    if now is None
                    else f"changed (version {before.version} is now {now.version})"
                ),
            )
        kept = self._kept(parameter, before)
        written = self._ssm.put_parameter(
            Name=parameter, Value=text, Type=before.type, Overwrite=True, **kept
        )["Version"]
        if written != before.version + 1:
            said = (
                f"written by somebody else at the same moment (version {written - 1}), which this"
                " write has replaced"
            )
            raise _changed_meanwhile(
                parameter,
                said,
                remedy=f"See what it was: aws ssm get-parameter-history --name {parameter}",
            )

    def delete(self, stored: Stored) -> None:
        """Deletes a document; one that has gone already is gone."""
        try:
            self._ssm.delete_parameter(Name=stored.parameter)
        except self._ssm.exceptions.ParameterNotFound:
            return

    def _decrypted(self, parameters: tuple[str, ...]) -> dict[str, str | ClientError]:
        try:
            answer = self._ssm.get_parameters(Names=list(parameters), WithDecryption=True)
        except ClientError as error:
            if is_throttled(error):
                raise
            if len(parameters) > 1:
                return {
                    parameter: text
                    for one in parameters
                    for parameter, text in self._decrypted((one,)).items()
                }
            return {parameters[0]: error}
        return {one["Name"]: one["Value"] for one in answer["Parameters"]}

    def _create(self, name: DocumentName, text: str, key_id: str | None) -> None:
        """Two who make the very same document at once have both made it."""
        parameter = name.parameter(self.root)
        kind = {"Type": SECURE, "KeyId": key_id} if key_id else {"Type": "String"}
        try:
            self._ssm.put_parameter(Name=parameter, Value=text, Overwrite=False, **kind)
        except self._ssm.exceptions.ParameterAlreadyExists:
            there = self.get(name)
            if there is None or there.text != text:
                raise _changed_meanwhile(
                    parameter, "made by somebody else at the same moment, and says something else"
                ) from None

    def _kept(self, parameter: str, before: Stored) -> dict[str, Any]:
        """What an overwrite would reset if it did not repeat it. Tags stay by themselves."""
        try:
            filters = [{"Key": "Name", "Option": "Equals", "Values": [parameter]}]
            described = self._ssm.describe_parameters(ParameterFilters=filters)["Parameters"]
        except ClientError as error:
            if not before.secure:
                return {}
            raise CliError(
                f"{parameter} is a SecureString, and its key cannot be seen"
                f" ({error.response['Error']['Code']}): nothing was written.",
                remedy=(
                    "You need ssm:DescribeParameters, so that it stays under the key that it has."
                ),
                exit_code=ExitCode.AWS,
            ) from None
        fields = described[0] if described else {}
        return {
            key: fields[key]
            for key in ("KeyId", "Description", "AllowedPattern", "Tier", "DataType")
            if fields.get(key)
        }


def _stored(name: DocumentName, one: Mapping[str, Any], text: str | ClientError | None) -> Stored:
    stored = Stored(name, one["Name"], one.get("Value", ""), one["Type"], one["Version"])
    if text is None:
        return stored
    if isinstance(text, ClientError):
        return replace(stored, text="", error=text.response["Error"]["Code"])
    return replace(stored, text=text)


def _changed_meanwhile(
    parameter: str, what: str, remedy: str = "Look at it anew, and try again."
) -> CliError:
    return CliError(f"{parameter} was {what}.", remedy=remedy, exit_code=ExitCode.NOT_OK)
