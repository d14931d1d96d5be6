// Makes the container and prints a signature with which it can be read and listed for a day: container.js PORT KEY CONTAINER
const { BlobServiceClient, ContainerSASPermissions, SASProtocol, StorageSharedKeyCredential, generateBlobSASQueryParameters } =
  require("@azure/storage-blob");

const [port, key, container] = process.argv.slice(2);
const credential = new StorageSharedKeyCredential("c360", key);
const service = new BlobServiceClient(`http://127.0.0.1:${port}/c360`, credential, { retryOptions: { maxTries: 1 } });

async function main() {
  await service.getContainerClient(container).createIfNotExists();
  const permissions = ContainerSASPermissions.parse("rl");
  const expiresOn = new Date(Date.now() + 24 * 3600 * 1000);
  const protocol = SASProtocol.HttpsAndHttp;
  process.stdout.write(generateBlobSASQueryParameters({ containerName: container, permissions, expiresOn, protocol }, credential).toString());
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
